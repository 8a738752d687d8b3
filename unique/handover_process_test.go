package unique_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func init() {
	roles["app relaunch"] = playRelaunch
	roles["app replace"] = playReplace
}

// playRelaunch is a primary that starts its successor when told to.
func playRelaunch([]string) int {
	ctx := context.Background()
	o := roleOptions()
	o.Version = os.Getenv("SOLOMQ_TEST_VERSION")
	o.Idle = 10 * time.Second // nobody ends it if its test fails
	app, err := unique.Acquire(ctx, testID, o)
	if err != nil {
		return exitWith(err)
	}
	if app.Role() != unique.Primary {
		return exitWith(errors.New("not the primary"))
	}
	fmt.Println("ready")
	var relaunches sync.WaitGroup
	var failed atomic.Pointer[error]
	err = app.Serve(ctx, func(ctx context.Context, inv *unique.Invocation) int {
		switch inv.Args[1] {
		case "relaunch": // by this program; the rest are variables of its environment
			self, err := os.Executable()
			if err != nil {
				return exitWith(err)
			}
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), inv.Args[2:]...)
			relaunches.Go(func() {
				// Closed: told to quit before the successor has asked.
				if err := app.Relaunch(context.Background(), cmd); err != nil && !errors.Is(err, net.ErrClosed) {
					failed.Store(&err)
				}
			})
			return 0
		case "quit":
			relaunches.Go(func() { _ = app.Close() })
			return 0
		}
		return verbs(ctx, inv)
	})
	relaunches.Wait()
	if p := failed.Load(); err == nil && p != nil {
		err = *p
	}
	if err != nil {
		return exitWith(err)
	}
	return 0
}

// playReplace takes the place of a primary that allows it, and stays until its
// input ends.
func playReplace(args []string) int {
	o := roleOptions()
	o.Replace = true
	app, err := unique.Acquire(context.Background(), testID, o)
	if err != nil {
		return exitWith(err)
	}
	fmt.Println(app.Role())
	return 0
}

// await waits for a primary that is not was and says it is ready.
func awaitPrimary(t *testing.T, opts *unique.Options, was int) *unique.Holder {
	t.Helper()
	var h *unique.Holder
	require.Eventually(t, func() bool {
		found, err := unique.Lookup(context.Background(), testID, opts)
		if err != nil || found.PID == was || found.State == unique.Leaving {
			return false
		}
		h = found
		return true
	}, patience, time.Millisecond)
	return h
}

// Launches during hand-overs: none is refused, none is run twice.
func TestProcessRelaunchStorm(t *testing.T) {
	launches, handovers := size(100, 1000), size(4, 20)
	opts := uniquetest.Options(t)
	log := filepath.Join(opts.Dir, "log")
	start(t, "relaunch", opts.Dir, []string{logEnv + "=" + log}).line()
	t.Cleanup(func() { quit(t, opts) })

	var next, done atomic.Int64
	var launchers sync.WaitGroup
	for range 8 {
		launchers.Go(func() {
			for n := next.Add(1); n <= int64(launches); n = next.Add(1) {
				app, err := unique.Acquire(within(t), testID, opts)
				if err != nil {
					t.Errorf("launch %d: %v", n, err)
					return
				}
				code, err := app.Forward(within(t), &unique.Invocation{Args: []string{"", "exit", strconv.Itoa(int(n % 256))}})
				switch {
				case app.Role() != unique.Secondary:
					t.Errorf("launch %d is the primary", n)
				case err != nil:
					t.Errorf("launch %d: %v", n, err)
				case code != int(n%256):
					t.Errorf("launch %d: code %d", n, code)
				}
				_ = app.Close()
				done.Add(1)
			}
		})
	}
	pids := map[int]bool{}
	h := awaitPrimary(t, opts, 0)
	for k := range handovers {
		pids[h.PID] = true
		// Spread over the launches, so that some come at each moment of it.
		require.Eventually(t, func() bool { return t.Failed() || done.Load() >= int64(k*launches/(handovers+1)) }, 2*patience, time.Millisecond)
		tell(t, opts, "relaunch")
		h = awaitPrimary(t, opts, h.PID)
	}
	launchers.Wait()
	pids[h.PID] = true
	require.Len(t, pids, handovers+1)
	seen := map[string]int{}
	for _, line := range runs(t, log) {
		_, what, _ := cut(line)
		seen[what]++
	}
	total := 0
	for _, n := range seen {
		total += n
	}
	require.Equal(t, launches, total, "each launch is run once")
}

// cut splits a line of a log.
func cut(line string) (pid int, what string, err error) {
	_, err = fmt.Sscan(line, &pid)
	return pid, line[len(strconv.Itoa(pid)):], err
}

// tell forwards a verb whose end is not waited for.
func tell(t *testing.T, opts *unique.Options, args ...string) {
	t.Helper()
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	defer app.Close()
	require.Equal(t, unique.Secondary, app.Role())
	_, err = app.Forward(within(t), &unique.Invocation{Args: append([]string{""}, args...)})
	require.NoError(t, err)
}

// quit ends the primary, which no test has started itself, and waits for that.
func quit(t *testing.T, opts *unique.Options) {
	t.Helper()
	launcher := *opts
	launcher.Mode = unique.ModeLauncher
	app, err := unique.Acquire(within(t), testID, &launcher)
	if errors.Is(err, unique.ErrNoPrimary) {
		return
	}
	require.NoError(t, err)
	defer app.Close()
	_, err = app.Forward(within(t), &unique.Invocation{Args: []string{"", "quit"}})
	if errors.Is(err, unique.ErrNoPrimary) {
		return // it was about to end
	}
	if !errors.Is(err, unique.ErrGone) { // as one is that is killed when it leaves
		require.NoError(t, err)
	}
	require.NoError(t, app.WaitExit(within(t)))
}

// A hand-over in which either side is killed, at every step: whoever comes next
// has a primary, at once, and what ran and what waited is accounted for.
func TestProcessKilledInHandover(t *testing.T) {
	for _, tt := range []struct {
		side, step string
	}{
		{"successor", "gate"},
		{"successor", "takeover"},
		{"successor", "succeeded"},
		{"successor", "bound"},
		{"successor", "published"},
		{"old", "leaving"},
		{"old", "yielded"},
	} {
		t.Run(tt.side+" "+tt.step, func(t *testing.T) {
			opts := uniquetest.Options(t)
			var env []string
			kill := killEnv + "=" + tt.step
			if tt.side == "old" {
				env = append(env, kill)
			}
			old := start(t, "relaunch", opts.Dir, env)
			require.Equal(t, "ready", old.line())
			t.Cleanup(func() { quit(t, opts) })
			args := []string{"", "relaunch", killEnv + "="}
			if tt.side == "successor" {
				args[2] = kill
			}
			early := secondary(t, opts)
			tell(t, opts, args[1:]...)
			// Not before the end of the test: what is started must not outlive it.
			defer func() {
				require.Eventually(t, func() bool {
					_, err := os.Stat(filepath.Join(opts.Dir, "killed"))
					return err == nil
				}, patience, time.Millisecond)
				if tt.side == "old" {
					awaitPrimary(t, opts, old.cmd.Process.Pid) // whom the test ends
				}
			}()
			if tt.side == "old" {
				return
			}
			for _, app := range []*unique.Instance{early, nil} {
				if app == nil {
					var err error
					app, err = unique.Acquire(within(t), testID, opts)
					require.NoError(t, err)
					defer app.Close()
				}
				if app.Role() == unique.Primary {
					return // both are dead
				}
				code, err := app.Forward(within(t), &unique.Invocation{Args: []string{"", "exit", "9"}})
				if errors.Is(err, unique.ErrNoPrimary) {
					continue // and so is its
				}
				require.NoError(t, err)
				require.Equal(t, 9, code)
			}
		})
	}
}

// The program that is started may be of a later version, and it keeps none of
// what was meant for it alone.
func TestProcessRelaunchVersion(t *testing.T) {
	opts := uniquetest.Options(t)
	old := start(t, "relaunch", opts.Dir, []string{"SOLOMQ_TEST_VERSION=1"})
	require.Equal(t, "ready", old.line())
	t.Cleanup(func() { quit(t, opts) })
	h := awaitPrimary(t, opts, 0)
	require.Equal(t, "1", h.Version)
	tell(t, opts, "relaunch", "SOLOMQ_TEST_VERSION=2")
	h = awaitPrimary(t, opts, h.PID)
	require.Equal(t, "2", h.Version)
	require.Zero(t, old.wait(), "the old one ends well")
}
