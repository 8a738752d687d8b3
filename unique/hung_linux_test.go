package unique_test

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// hungPrimary is a process that holds the place and is stopped.
func hungPrimary(t *testing.T) (*unique.Options, *process) {
	t.Helper()
	opts := uniquetest.Options(t)
	opts.Timeouts.Hello = 200 * time.Millisecond
	p := startServe(t, opts.Dir)
	p.stop()
	return opts, p
}

// What is decided about a primary that does not answer is done, and only that.
func TestProcessHungPrimary(t *testing.T) {
	t.Run("fail", func(t *testing.T) {
		opts, p := hungPrimary(t)
		asked := 0
		opts.OnUnresponsive = func(e *unique.UnresponsiveError) unique.Decision {
			asked++
			require.Equal(t, p.cmd.Process.Pid, e.Holder.PID)
			return 0
		}
		_, err := unique.Acquire(within(t), testID, opts)
		require.ErrorIs(t, err, unique.ErrUnresponsive)
		require.Equal(t, 1, asked)
		p.resume()
		require.Zero(t, p.wait(), "nothing was done to it")
	})
	t.Run("retry", func(t *testing.T) {
		opts, p := hungPrimary(t)
		opts.OnUnresponsive = func(*unique.UnresponsiveError) unique.Decision {
			p.resume()
			return unique.Retry
		}
		app, err := unique.Acquire(within(t), testID, opts)
		require.NoError(t, err)
		require.Equal(t, unique.Secondary, app.Role())
		require.NoError(t, app.Close())
	})
	t.Run("run anyway", func(t *testing.T) {
		opts, _ := hungPrimary(t)
		opts.OnUnresponsive = func(*unique.UnresponsiveError) unique.Decision { return unique.RunAnyway }
		app := primary(t, opts, exits(6))
		require.True(t, app.Alone())
		require.Equal(t, 6, <-forwarding(t, app))
	})
	t.Run("terminate", func(t *testing.T) {
		opts, p := hungPrimary(t)
		opts.OnUnresponsive = func(*unique.UnresponsiveError) unique.Decision {
			go p.reap() // as its parent should
			return unique.Terminate
		}
		app, err := unique.Acquire(within(t), testID, opts) // 5 s after SIGTERM, which a stopped process does not get
		require.NoError(t, err)
		require.Equal(t, unique.Primary, app.Role())
		require.NoError(t, app.Close())
	})
}

// A process that cannot be identified is left alone: here the number in the lock
// file is that of an innocent one.
func TestInnocentIsNotTerminated(t *testing.T) {
	opts, p := hungPrimary(t)
	innocent := actor(t, "sit")
	in, err := innocent.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, innocent.Start())
	l, err := unique.Where(testID, opts)
	require.NoError(t, err)
	free := l.Lock + ".free" // held by nobody, as far as the kernel can tell
	text := "pid " + strconv.Itoa(innocent.Process.Pid) + "\nborn 1\nid x\n"
	require.NoError(t, os.WriteFile(free, []byte(text), 0o600))
	require.ErrorContains(t, unique.TerminateHolder(within(t), free), "not certain")
	require.NoError(t, os.WriteFile(free, []byte("pid 999999999\n"), 0o600))
	require.Error(t, unique.TerminateHolder(within(t), free))
	require.NoError(t, os.WriteFile(free, nil, 0o600))
	require.ErrorContains(t, unique.TerminateHolder(within(t), free), "nothing tells")
	require.NoError(t, syscall.Kill(innocent.Process.Pid, 0))

	// The kernel's word about the lock counts, not what stands in it.
	require.NoError(t, os.WriteFile(l.Lock, []byte(text), 0o600))
	go p.reap()
	p.resume() // so that it can end by itself
	require.NoError(t, unique.TerminateHolder(within(t), l.Lock))
	require.NoError(t, syscall.Kill(innocent.Process.Pid, 0))
	require.NoError(t, in.Close())
	require.NoError(t, innocent.Wait())

	// Its own text identifies a process, too.
	self := "pid " + strconv.Itoa(os.Getpid()) + "\nborn " + unique.BornOf(os.Getpid()) + "\n"
	require.NotContains(t, self, "born \n")
}
