//go:build unix

package unique_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// shell runs a command line of the shell in which $SECOND is a secondary.
func shell(t *testing.T, dir, line string) *exec.Cmd {
	t.Helper()
	cmd := actor(t, "app second")
	cmd.Env = append(cmd.Env, dirEnv+"="+dir, "SECOND="+cmd.Path)
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	cmd.Path, cmd.Args = sh, []string{"sh", "-c", line}
	return cmd
}

// Input that the handler does not read stays for whoever comes next.
func TestProcessLeavesInputAlone(t *testing.T) {
	dir := testDir(t)
	startServe(t, dir)
	out, err := shell(t, dir, `printf 'a\nb\n' | ("$SECOND" exit 0; cat)`).Output()
	require.NoError(t, err)
	require.Equal(t, "a\nb\n", string(out))

	// A read that is pending at the end takes nothing, either.
	cmd := shell(t, dir, `"$SECOND" peek; echo ended; cat`)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ended := make([]byte, len("ended\n"))
	_, err = io.ReadFull(pipe, ended)
	require.NoError(t, err)
	_, err = io.WriteString(in, "left\n")
	require.NoError(t, err)
	require.NoError(t, in.Close())
	out, err = io.ReadAll(pipe)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	require.Equal(t, "left\n", string(out))
}

func TestProcessBrokenPipe(t *testing.T) {
	dir := testDir(t)
	first := startServe(t, dir)
	out, err := shell(t, dir, `"$SECOND" yes | head -1`).Output()
	require.NoError(t, err)
	require.Equal(t, "y\n", string(out))
	require.Contains(t, first.line(), "write: ")
}

func TestProcessCallerKilled(t *testing.T) {
	dir := testDir(t)
	first := startServe(t, dir)
	second := start(t, "second", dir, nil, "wait")
	require.Equal(t, "waiting", second.line())
	require.NoError(t, second.cmd.Process.Kill())
	require.Equal(t, "cause: "+unique.ErrCallerGone.Error(), first.line())
}

func TestProcessSignal(t *testing.T) {
	dir := testDir(t)
	startServe(t, dir)
	second := start(t, "second", dir, nil, "wait")
	require.Equal(t, "waiting", second.line())
	require.NoError(t, second.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, "signal: interrupt", second.line())
	require.Equal(t, 130, second.wait())
}

func TestProcessDeletedDir(t *testing.T) {
	dir := testDir(t)
	startServe(t, dir)
	gone := t.TempDir()
	cmd := shell(t, dir, `cd "`+gone+`" && mkdir d && cd d && rmdir ../d && exec "$SECOND" dir`)
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, `"" unique: the working directory of the caller was deleted`+"\n", string(out))
	out, err = shell(t, dir, `cd / && exec "$SECOND" dir`).Output()
	require.NoError(t, err)
	require.Equal(t, `"/" <nil>`+"\n", string(out))
}

func (p *process) stop() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGSTOP))
	awaitStopped(p.t, p.cmd.Process.Pid)
}

func (p *process) resume() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGCONT))
}

// slack is what a loaded machine may need beyond a time-out.
const slack = 10 * time.Second

func requireUnresponsive(t *testing.T, err error, p *process, start time.Time, limit time.Duration) {
	t.Helper()
	took := time.Since(start)
	var u *unique.UnresponsiveError
	require.ErrorAs(t, err, &u)
	require.ErrorIs(t, err, unique.ErrUnresponsive)
	require.Equal(t, p.cmd.Process.Pid, u.Holder.PID)
	require.Contains(t, err.Error(), fmt.Sprint("pid ", p.cmd.Process.Pid))
	require.Less(t, took, limit+slack)
}

// A primary that is stopped is named within the time, at every step, and once
// resumed does not run what was given up.
func TestProcessStoppedPrimary(t *testing.T) {
	opts := uniquetest.Options(t)
	if !full() {
		opts.Timeouts.Hello = time.Second / 2
	}
	opts.Timeouts.Offer = time.Second / 2
	limit := 2 * time.Second
	log := filepath.Join(opts.Dir, "log")
	p := startServe(t, opts.Dir, logEnv+"="+log)
	early, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	defer early.Close()
	again, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	defer again.Close()
	_, err = again.Forward(within(t), &unique.Invocation{Args: []string{"", "before"}})
	require.NoError(t, err)

	p.stop()
	start := time.Now()
	_, err = unique.Acquire(within(t), testID, opts)
	requireUnresponsive(t, err, p, start, limit)
	start = time.Now()
	_, err = unique.Lookup(within(t), testID, opts)
	requireUnresponsive(t, err, p, start, limit)
	start = time.Now() // over the connection of Acquire
	_, err = early.Forward(within(t), &unique.Invocation{Args: []string{"", "given up"}})
	requireUnresponsive(t, err, p, start, limit)
	start = time.Now() // over a new one
	_, err = again.Forward(within(t), &unique.Invocation{Args: []string{"", "given up"}})
	requireUnresponsive(t, err, p, start, limit)

	p.resume()
	patient := *opts
	patient.Timeouts.Hello = patience // it has what came meanwhile to look at first
	_, err = unique.Lookup(within(t), testID, &patient)
	require.NoError(t, err)
	_, err = early.Forward(within(t), &unique.Invocation{Args: []string{"", "after"}})
	require.NoError(t, err)
	require.Len(t, runs(t, log), 2)
	require.NotContains(t, strings.Join(runs(t, log), "\n"), "given up")
}

// A stopped primary whose queue of connections is full is the same.
func TestProcessFullBacklog(t *testing.T) {
	opts := uniquetest.Options(t)
	if !full() {
		opts.Timeouts.Hello = time.Second / 2
	}
	p := startServe(t, opts.Dir)
	h, err := unique.Lookup(within(t), testID, opts)
	require.NoError(t, err)
	p.stop()
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for { // until it is full
		c, err := net.DialTimeout("unix", strings.TrimPrefix(h.Endpoint, "ipc://"), time.Second)
		if err != nil {
			break
		}
		conns = append(conns, c)
		require.Less(t, len(conns), 1<<16)
	}
	start := time.Now()
	_, err = unique.Acquire(within(t), testID, opts)
	requireUnresponsive(t, err, p, start, 2*time.Second)
	p.resume()
	for _, c := range conns {
		c.Close()
	}
	conns = nil
	opts.Timeouts.Hello = patience // it has all of these to look at first
	_, err = unique.Lookup(within(t), testID, opts)
	require.NoError(t, err)
}

// A secondary that was stopped looks at what has arrived before it looks at the
// clock.
func TestProcessStoppedSecondary(t *testing.T) {
	dir := testDir(t)
	pause, timeouts := time.Second, "700ms,700ms,20s"
	if full() {
		pause, timeouts = time.Minute, "" // GO comes too late then: it starts over
	}
	first := startServe(t, dir, "SOLOMQ_TEST_BOOTING=1")

	// Stopped between HELLO and WELCOME.
	first.stop()
	second := startSteps(t, dir, timeouts, "exit", "7")
	second.await("step dialed")
	second.stop()
	first.resume()
	_, err := unique.Lookup(within(t), testID, &unique.Options{Dir: dir, Timeouts: unique.Timeouts{Hello: patience}})
	require.NoError(t, err) // and so the second one, who came first, has its answer, too
	stay(pause)
	second.resume()
	second.await("step waiting")

	// Stopped between REQUEST and OFFER.
	second.stop()
	_, err = io.WriteString(first.in, "serve\n")
	require.NoError(t, err)
	stay(pause)
	second.resume()
	require.Equal(t, 7, second.wait())
}

// stay lets time pass while a process is stopped, which is what is tested.
func stay(d time.Duration) {
	<-time.After(d)
}

// A stepper is a secondary that says its steps.
type stepper struct {
	*process
	steps *lineReader
}

func startSteps(t *testing.T, dir, timeouts string, args ...string) *stepper {
	t.Helper()
	cmd := actor(t, "app second", args...)
	cmd.Env = append(cmd.Env, dirEnv+"="+dir, stepsEnv+"=1", timeoutsEnv+"="+timeouts)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stderr = w
	require.NoError(t, cmd.Start())
	require.NoError(t, w.Close())
	p := &process{t: t, cmd: cmd}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = r.Close()
	})
	return &stepper{p, newLineReader(r)}
}

func (s *stepper) await(want string) {
	s.t.Helper()
	for {
		line, err := s.steps.next()
		require.NoError(s.t, err, "before %q", want)
		if line == want {
			return
		}
		s.t.Log(line)
	}
}

func (s *stepper) wait() int {
	for {
		line, err := s.steps.next()
		if err != nil {
			break
		}
		if !strings.HasPrefix(line, "step ") {
			s.t.Log(line)
		}
	}
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

// A primary that is killed at any step is followed by the next one at once; its
// caller goes on by itself as long as nothing was run, and says so otherwise.
func TestProcessKilledPrimary(t *testing.T) {
	for _, tt := range []struct {
		step  string
		codes []int // that the caller may end with
		runs  int   // in the primary that is killed
	}{
		{"welcomed", []int{9}, 0},
		{"requested", []int{9}, 0},
		{"offered", []int{9, exitError + 1}, 0}, // the offer may have got out, and GO in
		{"told to go", []int{exitError + 1}, 0},
		{"running", []int{exitError + 1}, 0},
		{"exit", []int{exitError + 1}, 1},
		{"exited", []int{9, exitError + 1}, 1}, // the exit may have got out
	} {
		t.Run(tt.step, func(t *testing.T) {
			opts := uniquetest.Options(t)
			log := filepath.Join(opts.Dir, "log")
			p := startServe(t, opts.Dir, killEnv+"="+tt.step, logEnv+"="+log)
			caller := start(t, "run", opts.Dir, []string{logEnv + "=" + log}, "exit", "9")
			code := caller.wait()
			require.Contains(t, tt.codes, code)
			require.Equal(t, -1, p.wait())
			lines := runs(t, log)
			if code == 9 && tt.runs == 0 { // it ran it itself
				require.Len(t, lines, 1)
				require.Contains(t, lines[0], fmt.Sprint(caller.cmd.Process.Pid))
			} else {
				require.Len(t, lines, tt.runs)
			}
			requireFree(t, opts)
		})
	}
	for _, step := range []string{"won", "bound", "published", "leaving"} {
		t.Run(step, func(t *testing.T) {
			opts := uniquetest.Options(t)
			p := start(t, "serve", opts.Dir, []string{killEnv + "=" + step})
			require.Equal(t, -1, p.wait())
			requireFree(t, opts)
		})
	}
}

// A secondary that is killed at any step leaves nothing behind: what it had not
// said go for is not run, and the handler that was kept free is free again.
func TestProcessKilledSecondary(t *testing.T) {
	for step, want := range map[string]int{
		"dialed": 0, "shaken": 0, "greeted": 0, "welcome": 0, "request": 0, "waiting": 0, "go": 0, "gone": -1, "answered": 1,
	} {
		t.Run(step, func(t *testing.T) {
			opts := uniquetest.Options(t)
			opts.MaxRunning = 1
			ran := make(chan string, 10)
			primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
				ran <- inv.Args[1]
				return 3
			})
			require.Equal(t, -1, start(t, "second", opts.Dir, []string{killEnv + "=" + step}, "killed").wait())
			require.Equal(t, 3, start(t, "second", opts.Dir, nil, "after").wait())
			close(ran)
			got := map[string]int{}
			for what := range ran {
				got[what]++
			}
			require.Equal(t, 1, got["after"])
			if want >= 0 { // else it is in doubt, but it is never run twice
				require.Equal(t, want, got["killed"])
			}
			require.LessOrEqual(t, got["killed"], 1)
		})
	}
}

// requireFree checks that whoever comes now is the primary at once, and works.
func requireFree(t *testing.T, opts *unique.Options) {
	t.Helper()
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, unique.Primary, app.Role())
	require.NoError(t, app.Close())
}

func TestProcessDebug(t *testing.T) {
	dir := testDir(t)
	first := actor(t, "app serve")
	first.Env = append(first.Env, dirEnv+"="+dir, "SOLOMQ_DEBUG=1")
	var trace strings.Builder
	first.Stderr = &trace
	in, err := first.StdinPipe()
	require.NoError(t, err)
	out, err := first.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, first.Start())
	_, err = io.ReadFull(out, make([]byte, len("ready\n")))
	require.NoError(t, err)

	second := actor(t, "app second", "exit", "5", "secret-argument")
	second.Env = append(second.Env, dirEnv+"="+dir, "SOLOMQ_DEBUG=1", "LC_SECRET=secret-variable", "XDG_ACTIVATION_TOKEN=secret-token")
	var err2 strings.Builder
	second.Stderr = &err2
	var exit *exec.ExitError
	require.ErrorAs(t, second.Run(), &exit)
	require.Equal(t, 5, exit.ExitCode())
	require.NoError(t, in.Close())
	require.NoError(t, first.Wait())

	for _, text := range []string{trace.String(), err2.String()} {
		require.NotContains(t, text, "secret")
		for line := range strings.Lines(text) {
			require.True(t, strings.HasPrefix(line, "solomq: "), line)
		}
	}
	for _, step := range []string{"primary, endpoint", "offer", "handler starts", "EXIT", "has left"} {
		require.Contains(t, trace.String(), step)
	}
	for _, step := range []string{"welcome", "secondary, primary", "said go", "EXIT"} {
		require.Contains(t, err2.String(), step)
	}
}

// A handler of this process hears of the death of a caller in another.
func TestProcessCallerGone(t *testing.T) {
	opts := uniquetest.Options(t)
	cause := make(chan error, 1)
	primary(t, opts, func(ctx context.Context, inv *unique.Invocation) int {
		fmt.Fprintln(inv.Stdout, "waiting")
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return 0
	})
	second := start(t, "second", opts.Dir, nil, "x")
	require.Equal(t, "waiting", second.line())
	require.NoError(t, second.cmd.Process.Kill())
	select {
	case err := <-cause:
		require.ErrorIs(t, err, unique.ErrCallerGone)
	case <-time.After(patience):
		require.NoError(t, errors.New("the handler did not hear of it"))
	}
}

// A lineReader returns the lines of a stream one by one.
type lineReader struct{ r *bufio.Reader }

func newLineReader(r io.Reader) *lineReader { return &lineReader{bufio.NewReader(r)} }

func (l *lineReader) next() (string, error) {
	s, err := l.r.ReadString('\n')
	return strings.TrimSuffix(s, "\n"), err
}
