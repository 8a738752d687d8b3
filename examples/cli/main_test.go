package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// patience is how long a test waits for what is bound to happen.
const patience = 30 * time.Second

// spool is the path of the program under test: this binary, by another name.
var spool string

// TestMain is main for whoever starts this binary as spool, the queue process
// and the supervisors of jobs above all.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "spool" {
		main()
		os.Exit(0)
	}
	os.Exit(testAll(m))
}

func testAll(m *testing.M) int {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "spool")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	spool = filepath.Join(dir, "spool")
	if err := os.Symlink(program, spool); err != nil {
		panic(err)
	}
	os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// full reports whether the tests run in their full size.
func full() bool { return os.Getenv("SOLOMQ_TEST") == "full" }

// sized returns the number for the size of this run.
func sized(small, inFull int) int {
	if full() {
		return inFull
	}
	return small
}

// A place is a user's surroundings: a home, and at most one queue.
type place struct {
	t     *testing.T
	dir   string // the working directory of all launches
	env   []string
	store *store
}

// newPlace returns surroundings in which nothing was spooled yet. At the end of
// the test it stops the queue and checks that it has not crashed.
func newPlace(t *testing.T) *place {
	t.Helper()
	dir, err := os.MkdirTemp("", "spool") // the path of t.TempDir may be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &place{t: t, dir: filepath.Join(dir, "work"), store: &store{filepath.Join(dir, "state", "spool", "default")}}
	for _, sub := range []string{"work", "run", "state"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, sub), 0o700))
	}
	p.env = surroundings(dir)
	t.Cleanup(p.close)
	return p
}

// surroundings returns an environment for launches in dir.
func surroundings(dir string) []string {
	return append(os.Environ(),
		"HOME="+dir,
		"XDG_STATE_HOME="+filepath.Join(dir, "state"),
		"XDG_RUNTIME_DIR="+filepath.Join(dir, "run"),
		"GORACE=log_path="+filepath.Join(dir, "race"), // the queue's standard error is the null device
	)
}

func (p *place) close() {
	p.do("stop")
	checkQuiet(p.t, filepath.Dir(p.dir))
}

// checkQuiet fails the test if a queue process has crashed or raced.
func checkQuiet(t testing.TB, dir string) {
	for _, pattern := range []string{"race.*", "state/spool/*/crash"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		for _, path := range found {
			words, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Empty(t, string(words), path)
		}
	}
}

// command returns a launch that was not started yet.
func (p *place) command(args ...string) *exec.Cmd {
	cmd := exec.Command(spool, args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

// A result is what a launch left.
type result struct {
	code        int
	out, errout string
}

// do launches spool and waits for it.
func (p *place) do(args ...string) result {
	p.t.Helper()
	return p.doIn("", args...)
}

// doIn is do with an input.
func (p *place) doIn(input string, args ...string) result {
	p.t.Helper()
	return p.start(strings.NewReader(input), args...).wait()
}

// A caller is a launch under way.
type caller struct {
	t           *testing.T
	cmd         *exec.Cmd
	out, errout bytes.Buffer
	ended       chan struct{}
}

// start launches spool, which the test has to wait for.
func (p *place) start(input *strings.Reader, args ...string) *caller {
	p.t.Helper()
	c := &caller{t: p.t, cmd: p.command(args...), ended: make(chan struct{})}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = input, &c.out, &c.errout
	if input == nil {
		c.cmd.Stdin = nil
	}
	require.NoError(p.t, c.cmd.Start())
	go func() {
		defer close(c.ended)
		c.cmd.Wait()
	}()
	return c
}

func (c *caller) wait() result {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		c.cmd.Process.Kill()
		<-c.ended
		c.t.Errorf("spool %q hangs; its output so far: %q, %q", c.cmd.Args[1:], c.out.String(), c.errout.String())
	}
	return result{c.cmd.ProcessState.ExitCode(), c.out.String(), c.errout.String()}
}

// until waits for a condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, 5*time.Millisecond, what)
}

// is waits until job id is in a state.
func (p *place) is(id int, state string) {
	p.t.Helper()
	until(p.t, fmt.Sprintf("job %d is %s", id, state), func() bool {
		r, err := p.store.load(id)
		return err == nil && r.State == state
	})
}
