package unique_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

func init() {
	roles["storm"] = storm
	roles["once"] = electOnce
	roles["hold"] = func(args []string) int { return hold(args, false) }
	roles["hold-with-child"] = func(args []string) int { return hold(args, true) }
	roles["sit"] = func([]string) int { _, _ = io.Copy(io.Discard, os.Stdin); return 0 }
}

// siteOf opens the site of an actor.
func siteOf(dir string) *unique.Site {
	s, err := unique.OpenSite("x", &unique.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return s
}

func fail(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, "pid %d: %s\n", os.Getpid(), fmt.Sprintf(format, args...))
	return 1
}

// storm elects and releases for some time, checking each time by a file of its own that it is alone, and adding one to a
// number in another file in a way that loses counts if it is not.
func storm(args []string) int {
	dir, witness, counter := args[0], args[1], args[2]
	lasts, _ := time.ParseDuration(args[3])
	_, _ = io.Copy(io.Discard, os.Stdin) // until all are released together
	s := siteOf(dir)
	wins := 0
	for end := time.Now().Add(lasts); time.Now().Before(end); {
		won, err := s.Elect(context.Background())
		if err != nil {
			return fail("%v", err)
		}
		if won == nil {
			time.Sleep(5 * time.Millisecond) // as a loser does that waits for the winner to answer
			continue
		}
		wins++
		f, err := os.OpenFile(witness, os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fail("two primaries: %v", err)
		}
		_ = f.Close()
		text, err := os.ReadFile(counter)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail("%v", err)
		}
		n, _ := strconv.Atoi(string(text))
		if err := os.WriteFile(counter, []byte(strconv.Itoa(n+1)), 0o600); err != nil {
			return fail("%v", err)
		}
		if err := won.Publish(unique.Record{Proto: 1, Endpoint: "ipc://x"}); err != nil {
			return fail("%v", err)
		}
		if err := os.Remove(witness); err != nil {
			return fail("%v", err)
		}
		if err := won.Release(); err != nil {
			return fail("%v", err)
		}
	}
	fmt.Println(wins)
	return 0
}

// crowd starts n actors of role whose standard inputs are one pipe; release closes it.
func crowd(t *testing.T, n int, role string, args ...string) (cmds []*exec.Cmd, release func()) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	for range n {
		cmd := actor(t, role, args...)
		cmd.Stdin = r
		cmds = append(cmds, cmd)
	}
	return cmds, func() { _ = w.Close() }
}

func TestProcessStorm(t *testing.T) {
	dir, files := privateDir(t), t.TempDir()
	n, lasts := size(6, 64), size(1, 15)
	counter := filepath.Join(files, "counter")
	cmds, release := crowd(t, n, "storm", dir, filepath.Join(files, "witness"), counter, fmt.Sprint(lasts, "s"))
	outs := make([]strings.Builder, n)
	for i, cmd := range cmds {
		cmd.Stdout = &outs[i]
		require.NoError(t, cmd.Start())
	}
	release()
	wins := 0
	for i, cmd := range cmds {
		require.NoError(t, cmd.Wait())
		k, err := strconv.Atoi(strings.TrimSpace(outs[i].String()))
		require.NoError(t, err)
		wins += k
	}
	text, err := os.ReadFile(counter)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(wins), string(text))
	t.Logf("%d processes, %d s: %d elections won", n, lasts, wins)
}

// electOnce elects once when released and says how it went. Who has won connects to
// args[1], and holds the place until that connection ends.
func electOnce(args []string) int {
	s := siteOf(args[0])
	_, _ = io.Copy(io.Discard, os.Stdin)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	won, err := s.Elect(ctx)
	if err != nil {
		return fail("%v", err)
	}
	if won == nil {
		fmt.Println("lost")
		return 0
	}
	fmt.Println("won")
	c, err := net.Dial("tcp", args[1])
	if err != nil {
		return fail("%v", err)
	}
	_, _ = io.Copy(io.Discard, c)
	return 0
}

// TestStampede: processes released together elect exactly one, and settle soon.
func TestStampede(t *testing.T) {
	n := size(16, 64)
	for range size(2, 20) {
		stampede(t, n)
	}
}

func stampede(t *testing.T, n int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	winners := make(chan net.Conn, n)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(winners)
				return
			}
			winners <- c
		}
	}()
	cmds, release := crowd(t, n, "once", privateDir(t), l.Addr().String())
	said := make([]strings.Builder, n)
	for i, cmd := range cmds {
		cmd.Stdout = &said[i]
		require.NoError(t, cmd.Start())
	}
	start := time.Now()
	release()
	ended := make(chan error, n)
	for _, cmd := range cmds {
		go func() { ended <- cmd.Wait() }()
	}
	var won []net.Conn
	for lost := 0; lost+len(won) < n; {
		select {
		case err := <-ended:
			require.NoError(t, err)
			lost++
		case c := <-winners:
			won = append(won, c)
		}
	}
	t.Logf("%d processes settled in %v", n, time.Since(start))
	for _, c := range won {
		require.NoError(t, c.Close())
		require.NoError(t, <-ended)
	}
	require.Len(t, won, 1)
	var words []string
	for i := range said {
		words = append(words, strings.TrimSpace(said[i].String()))
	}
	slices.Sort(words)
	require.Equal(t, append(slices.Repeat([]string{"lost"}, n-1), "won"), words)
}

// hold becomes the primary, says so, and stays until it is killed or its input ends. withChild it starts a child first
// that lives until the same input ends.
func hold(args []string, withChild bool) int {
	s := siteOf(args[0])
	won, err := s.Elect(context.Background())
	if err != nil || won == nil {
		return fail("not elected: %v", err)
	}
	if err := won.Publish(testRecord(9)); err != nil {
		return fail("%v", err)
	}
	if withChild {
		self, _ := os.Executable()
		child := exec.Command(self)
		child.Env = append(os.Environ(), roleEnv+"=sit")
		child.Stdin = os.Stdin
		if err := child.Start(); err != nil {
			return fail("%v", err)
		}
		fmt.Println(child.Process.Pid)
	}
	fmt.Println("won")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// holder starts an actor that is the primary, and returns what it said before.
func holder(t *testing.T, role, dir string) (cmd *exec.Cmd, in io.WriteCloser, said string) {
	t.Helper()
	cmd = actor(t, role, dir)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); said += lines.Text() {
		if lines.Text() == "won" {
			return cmd, in, said
		}
	}
	require.NoError(t, cmd.Wait())
	t.Fatal("the actor is not the primary")
	return nil, nil, ""
}

// TestKilledPrimary: its place is free at once, and what it left is cleared away.
func TestKilledPrimary(t *testing.T) {
	o := privateOptions(t)
	s := openSite(t, "x", o)
	for range size(5, 200) {
		cmd, in, _ := holder(t, "hold", o.Dir)
		lose(t, s)
		require.Equal(t, cmd.Process.Pid, s.HolderPID())
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		in.Close()

		stale, err := s.ReadRecord()
		require.NoError(t, err)
		require.Equal(t, cmd.Process.Pid, stale.PID)
		won := win(t, s)
		_, err = s.ReadRecord()
		require.ErrorIs(t, err, unique.ErrNoRecord, "the record of the dead must be gone before the new one binds")
		require.NoError(t, won.Release())
	}
}

// TestChildDoesNotInheritThePlace: a child that outlives the primary does not keep its lock.
func TestChildDoesNotInheritThePlace(t *testing.T) {
	o := privateOptions(t)
	s := openSite(t, "x", o)
	cmd, in, said := holder(t, "hold-with-child", o.Dir)
	lose(t, s)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	pid, err := strconv.Atoi(said)
	require.NoError(t, err)
	require.True(t, alive(pid), "the child should outlive the primary")
	require.NoError(t, win(t, s).Release())
	require.True(t, alive(pid))
	in.Close() // ends the child
}
