//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what is bound to happen.
const patience = 30 * time.Second

// full reports whether the tests run in their full size.
func full() bool { return os.Getenv("SOLOMQ_TEST") == "full" }

// sized returns the number for the size of this run.
func sized(small, inFull int) int {
	if full() {
		return inFull
	}
	return small
}

// A place is a user's surroundings: a home, and its queues.
type place struct {
	t     *testing.T
	dir   string // the working directory of all launches
	store *store
}

// newPlace returns surroundings in which nothing was spooled yet. At the end of
// the test it stops the queue and checks that it has not crashed.
func newPlace(t *testing.T) *place {
	t.Helper()
	root, err := os.MkdirTemp("", "spool")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(root) })
	for _, sub := range []string{"work", "run", "state"} {
		require.NoError(t, os.Mkdir(filepath.Join(root, sub), 0o700))
	}
	t.Setenv("HOME", root)
	t.Setenv("XDG_STATE_HOME", filepath.Join(root, "state"))
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(root, "run"))
	t.Setenv("GORACE", "atexit_sleep_ms=0 log_path="+filepath.Join(root, "race")) // the queue's standard error is the null device
	s, err := openStore("default")
	require.NoError(t, err)
	p := &place{t: t, dir: filepath.Join(root, "work"), store: s}
	t.Cleanup(func() {
		p.do("stop")
		for _, pattern := range []string{"race.*", "state/spool/*/log"} {
			found, err := filepath.Glob(filepath.Join(root, pattern))
			require.NoError(t, err)
			for _, path := range found {
				words, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Empty(t, string(words), path)
			}
		}
	})
	return p
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
	cmd := exec.Command(spool, args...)
	cmd.Stdin = strings.NewReader(input)
	return p.begin(cmd).wait()
}

// sh runs a script, in which spool is a command.
func (p *place) sh(script string) result {
	p.t.Helper()
	return p.launch("sh", "-c", script).wait()
}

// A caller is a launch under way.
type caller struct {
	*exec.Cmd
	t           *testing.T
	out, errout buffer
	ended       chan struct{}
}

// launch starts a command, with an empty input, that the test has to wait for.
func (p *place) launch(args ...string) *caller {
	p.t.Helper()
	return p.begin(exec.Command(args[0], args[1:]...))
}

func (p *place) begin(cmd *exec.Cmd) *caller {
	p.t.Helper()
	c := &caller{Cmd: cmd, t: p.t, ended: make(chan struct{})}
	cmd.Dir = p.dir
	if cmd.Stdout == nil {
		cmd.Stdout = &c.out
	}
	cmd.Stderr = &c.errout
	require.NoError(p.t, cmd.Start())
	go func() {
		defer close(c.ended)
		cmd.Wait()
	}()
	return c
}

func (c *caller) wait() result {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		c.Process.Kill()
		<-c.ended
		c.t.Errorf("%q hangs; its output so far: %q, %q", c.Args, c.out.String(), c.errout.String())
	}
	return result{c.ProcessState.ExitCode(), c.out.String(), c.errout.String()}
}

// A buffer may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// says waits until a launch has written something.
func (c *caller) says(what string) {
	c.t.Helper()
	until(c.t, what, func() bool { return strings.Contains(c.out.String()+c.errout.String(), what) })
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

// copyFile copies a program.
func copyFile(to, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o700)
}
