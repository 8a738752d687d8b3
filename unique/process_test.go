package unique_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// What the processes of these tests are told by their environment.
const (
	dirEnv      = "SOLOMQ_TEST_DIR"
	timeoutsEnv = "SOLOMQ_TEST_TIMEOUTS" // hello, offer, go
	idleEnv     = "SOLOMQ_TEST_IDLE"
	killEnv     = "SOLOMQ_TEST_KILL"  // the step at which to die
	stepsEnv    = "SOLOMQ_TEST_STEPS" // not empty: say each step on standard error
	logEnv      = "SOLOMQ_TEST_LOG"   // a file that gets a line for each run of the handler
)

// Exit codes of the processes beside those of the handler.
const exitError = 100

func init() {
	roles["app serve"] = playServe
	roles["app second"] = playSecond
	roles["app run"] = playRun
	roles["app launch"] = playLaunch
}

func roleOptions() *unique.Options {
	switch step := os.Getenv(killEnv); {
	case step != "":
		unique.SetFault(func(s string) {
			if s == step {
				// So that a test can wait for it.
				_ = os.WriteFile(filepath.Join(os.Getenv(dirEnv), "killed"), nil, 0o600)
				killSelf()
			}
		})
	case os.Getenv(stepsEnv) != "":
		unique.SetFault(func(s string) { fmt.Fprintf(os.Stderr, "step %s\n", s) })
	}
	o := &unique.Options{Dir: os.Getenv(dirEnv)}
	o.Idle, _ = time.ParseDuration(os.Getenv(idleEnv))
	t := strings.Split(os.Getenv(timeoutsEnv)+",,,", ",")
	o.Timeouts.Hello, _ = time.ParseDuration(t[0])
	o.Timeouts.Offer, _ = time.ParseDuration(t[1])
	o.Timeouts.Go, _ = time.ParseDuration(t[2])
	return o
}

// killSelf ends this process as if by kill -9.
func killSelf() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // it comes
}

// exitWith says err and returns the exit code for it.
func exitWith(err error) int {
	fmt.Fprintf(os.Stderr, "%v\n", err)
	switch {
	case errors.Is(err, unique.ErrGone):
		return exitError + 1
	case errors.Is(err, unique.ErrNoPrimary):
		return exitError + 2
	case errors.Is(err, unique.ErrUnresponsive):
		return exitError + 3
	}
	return exitError
}

// playServe is a primary until its standard input ends.
func playServe([]string) int {
	app, err := unique.Acquire(context.Background(), testID, roleOptions())
	if err != nil {
		return exitWith(err)
	}
	if app.Role() != unique.Primary {
		return exitWith(errors.New("not the primary"))
	}
	fmt.Println("ready")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		if os.Getenv("SOLOMQ_TEST_STAY") != "" {
			return
		}
		in := bufio.NewReader(os.Stdin)
		line, _ := in.ReadString('\n')
		if line == "serve\n" { // booting is over
			go app.Serve(ctx, verbs)
			_, _ = in.ReadString('\n')
		}
		cancel()
	}()
	if os.Getenv("SOLOMQ_TEST_BOOTING") == "" {
		if app.Serve(ctx, verbs) == nil {
			return 0 // idle
		}
	}
	<-ctx.Done()
	if err := app.Close(); err != nil {
		return exitWith(err)
	}
	return 0
}

// playSecond forwards its arguments and streams.
func playSecond([]string) int {
	app, err := unique.Acquire(context.Background(), testID, roleOptions())
	if err != nil {
		return exitWith(err)
	}
	if app.Role() != unique.Secondary {
		return exitWith(errors.New("not a secondary"))
	}
	code, err := app.Forward(context.Background(), unique.Current().WithStdio().WithSignals())
	if err != nil {
		return exitWith(err)
	}
	return code
}

// A gate lets processes begin together that have all started.
type gate struct{ read, write, arrived, arrive *os.File }

func newGate(t *testing.T) (g gate) {
	t.Helper()
	var err error
	g.read, g.write, err = os.Pipe()
	require.NoError(t, err)
	g.arrived, g.arrive, err = os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, f := range []*os.File{g.read, g.write, g.arrived, g.arrive} {
			f.Close()
		}
	})
	return g
}

// holds makes cmd wait at the gate.
func (g gate) holds(cmd *exec.Cmd) {
	cmd.Env = append(cmd.Env, "SOLOMQ_TEST_GATE=1")
	cmd.ExtraFiles = []*os.File{g.read, g.arrive}
}

// open lets them go once n are there.
func (g gate) open(t *testing.T, n int) {
	t.Helper()
	require.NoError(t, g.arrive.Close())
	_, err := io.ReadFull(g.arrived, make([]byte, n))
	require.NoError(t, err)
	require.NoError(t, g.write.Close())
}

// awaitGate is the part of a process that is held.
func awaitGate() {
	if os.Getenv("SOLOMQ_TEST_GATE") == "" {
		return
	}
	arrive := os.NewFile(4, "arrive")
	_, _ = arrive.Write([]byte{1})
	_ = arrive.Close()
	_, _ = io.Copy(io.Discard, os.NewFile(3, "gate"))
}

// playRun is a tool that consists of one call.
func playRun([]string) int {
	awaitGate()
	code, err := unique.Run(context.Background(), testID, roleOptions(), verbs)
	if err != nil {
		return exitWith(err)
	}
	return code
}

// playLaunch is a tool that starts its primary on demand.
func playLaunch([]string) int {
	awaitGate()
	o := roleOptions()
	self, err := os.Executable()
	if err != nil {
		return exitWith(err)
	}
	o.StartPrimary = exec.Command(self)
	o.StartPrimary.Env = append(os.Environ(), roleEnv+"=app serve", "SOLOMQ_TEST_GATE=")
	code, err := unique.Run(context.Background(), testID, o, verbs)
	if err != nil {
		return exitWith(err)
	}
	return code
}

// verbs is the handler of all these processes.
func verbs(ctx context.Context, inv *unique.Invocation) int {
	if name := os.Getenv(logEnv); name != "" {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return exitWith(err)
		}
		fmt.Fprintf(f, "%d %q\n", os.Getpid(), inv.Args[1:])
		if err := f.Close(); err != nil {
			return exitWith(err)
		}
	}
	switch inv.Args[1] {
	case "exit":
		code, _ := strconv.Atoi(inv.Args[2])
		return code
	case "pid":
		fmt.Fprintln(inv.Stdout, os.Getpid())
	case "cat":
		if _, err := io.Copy(inv.Stdout, inv.Stdin); err != nil {
			return exitWith(err)
		}
	case "yes": // until nobody reads
		for {
			if _, err := io.WriteString(inv.Stdout, strings.Repeat("y\n", 4096)); err != nil {
				fmt.Printf("write: %v\n", err)
				return 1
			}
		}
	case "peek": // leaves a read of its input pending
		go inv.Stdin.Read(make([]byte, 1))
	case "wait":
		fmt.Fprintln(inv.Stdout, "waiting")
		select {
		case <-ctx.Done():
			fmt.Printf("cause: %v\n", context.Cause(ctx))
			return 1
		case sig := <-inv.Signals():
			fmt.Fprintf(inv.Stdout, "signal: %v\n", sig)
			return 130
		}
	case "dir":
		_, err := inv.Path("x")
		fmt.Fprintf(inv.Stdout, "%q %v\n", inv.Dir, err)
	}
	return 0
}

// A process is one that a test has started.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader // of its standard output

	reaped sync.Once
}

// start starts a process that works in dir; env is added to its environment.
func start(t *testing.T, role, dir string, env []string, args ...string) *process {
	t.Helper()
	cmd := actor(t, "app "+role, args...)
	cmd.Env = append(append(cmd.Env, dirEnv+"="+dir), env...)
	return startCmd(t, cmd)
}

// startCmd is start for a command that is made already.
func startCmd(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{t: t, cmd: cmd, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // harmless if it has ended
		p.reap()
	})
	return p
}

// reap waits for the end of the process, once, whoever calls it first.
func (p *process) reap() { p.reaped.Do(func() { _ = p.cmd.Wait() }) }

func (p *process) line() string {
	p.t.Helper()
	s, err := p.out.ReadString('\n')
	require.NoError(p.t, err)
	return strings.TrimSuffix(s, "\n")
}

// wait returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	_ = p.in.Close()
	_, _ = io.Copy(io.Discard, p.out)
	timer := time.AfterFunc(2*patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(p.t, err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// startServe starts a primary and waits until it is one.
func startServe(t *testing.T, dir string, env ...string) *process {
	t.Helper()
	p := start(t, "serve", dir, env)
	require.Equal(t, "ready", p.line())
	return p
}

func testDir(t *testing.T) string { return uniquetest.Options(t).Dir }

// runs returns the lines of a log.
func runs(t *testing.T, log string) []string {
	b, err := os.ReadFile(log)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func TestProcessExitCode(t *testing.T) {
	dir := testDir(t)
	first := startServe(t, dir)
	for _, code := range []int{0, 1, 77, 99} {
		require.Equal(t, code, start(t, "second", dir, nil, "exit", strconv.Itoa(code)).wait())
	}
	require.Zero(t, first.wait(), "the primary ends well")
}

// Processes that each live as long as there is work, released together: some are
// primaries, one after the other, and end in the very moment in which others
// come. Nothing is lost and nothing run twice.
func TestProcessRunStorm(t *testing.T) {
	processes, rounds := 12, 3
	if full() {
		processes, rounds = 64, 20
	}
	dir := testDir(t)
	for round := range rounds {
		log := filepath.Join(dir, "log"+strconv.Itoa(round))
		gate := newGate(t)
		var all []*exec.Cmd
		for k := range processes {
			cmd := actor(t, "app run", "exit", strconv.Itoa(k), strconv.Itoa(round))
			cmd.Env = append(cmd.Env, dirEnv+"="+dir, logEnv+"="+log, timeoutsEnv+"=20s")
			gate.holds(cmd)
			require.NoError(t, cmd.Start())
			all = append(all, cmd)
		}
		gate.open(t, processes)
		for k, cmd := range all {
			_ = cmd.Wait()
			require.Equal(t, k, cmd.ProcessState.ExitCode(), "round %d", round)
		}
		require.Len(t, runs(t, log), processes)
	}
}

// Launchers released together on a cold place: one primary, started by one of
// them, runs everything, and ends when it has been idle.
func TestProcessStartPrimaryStorm(t *testing.T) {
	processes, rounds := 12, 1
	if full() {
		processes, rounds = 64, 20
	}
	opts := uniquetest.Options(t)
	for round := range rounds {
		log := filepath.Join(opts.Dir, "log"+strconv.Itoa(round))
		gate := newGate(t)
		var all []*exec.Cmd
		for k := range processes {
			cmd := actor(t, "app launch", "exit", strconv.Itoa(k))
			// The primary reads an empty input and would end at once: it is held
			// by its idle time only.
			cmd.Env = append(cmd.Env, dirEnv+"="+opts.Dir, logEnv+"="+log, "SOLOMQ_TEST_STAY=1", idleEnv+"=2s", timeoutsEnv+"=20s")
			gate.holds(cmd)
			require.NoError(t, cmd.Start())
			all = append(all, cmd)
		}
		gate.open(t, processes)
		for k, cmd := range all {
			_ = cmd.Wait()
			require.Equal(t, k, cmd.ProcessState.ExitCode(), "round %d", round)
		}
		lines := runs(t, log)
		require.Len(t, lines, processes)
		for _, l := range lines {
			require.Equal(t, strings.Fields(l)[0], strings.Fields(lines[0])[0], "one primary")
		}
		awaitNoPrimary(t, opts)
	}
}

// A launcher that is killed when it has started a primary has started it: the
// next one finds it.
func TestProcessKilledLauncher(t *testing.T) {
	opts := uniquetest.Options(t)
	env := []string{"SOLOMQ_TEST_STAY=1", idleEnv + "=1s", timeoutsEnv + "=20s"}
	require.Equal(t, -1, start(t, "launch", opts.Dir, append(env, killEnv+"="+"started"), "exit", "7").wait())
	require.Equal(t, 7, start(t, "launch", opts.Dir, env, "exit", "7").wait())
	awaitNoPrimary(t, opts)
}

// awaitNoPrimary waits until the primary has left.
func awaitNoPrimary(t *testing.T, opts *unique.Options) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := unique.Lookup(context.Background(), testID, opts)
		return errors.Is(err, unique.ErrNoPrimary)
	}, patience, 10*time.Millisecond)
}

func TestStartPrimaryFails(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	opts := uniquetest.Options(t)
	opts.StartPrimary = exec.Command(filepath.Join(opts.Dir, "no such program"))
	_, err = unique.Acquire(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrStart)

	opts.StartPrimary = exec.Command(self, "-test.run=^$") // ends and is no primary
	opts.StartPrimary.Env = append(os.Environ(), roleEnv+"=none of these")
	_, err = unique.Acquire(within(t), testID, opts)
	var start *unique.StartError
	require.ErrorAs(t, err, &start)
	require.NotZero(t, start.PID)
	require.ErrorContains(t, err, "125")

	opts.StartPrimary = &exec.Cmd{}
	_, err = unique.Acquire(within(t), testID, opts)
	require.ErrorContains(t, err, "StartPrimary")
}
