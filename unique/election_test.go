package unique_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// full reports whether the tests run in their full size.
func full() bool { return os.Getenv("SOLOMQ_TEST") == "full" }

// size chooses between the two sizes of a test.
func size(small, big int) int {
	if full() {
		return big
	}
	return small
}

// win elects and must win.
func win(tb testing.TB, s *unique.Site) *unique.Tenure {
	tb.Helper()
	won, err := s.Elect(tb.Context())
	require.NoError(tb, err)
	require.NotNil(tb, won, "somebody holds the lock, pid %d", s.HolderPID())
	return won
}

// lose elects and must not win.
func lose(tb testing.TB, s *unique.Site) {
	tb.Helper()
	won, err := s.Elect(tb.Context())
	require.NoError(tb, err)
	require.Nil(tb, won, "two primaries")
}

func TestElection(t *testing.T) {
	o := privateOptions(t)
	a, b, other := openSite(t, "x", o), openSite(t, "x", o), openSite(t, "y", o)
	won := win(t, a)
	lose(t, b)
	lose(t, a)
	require.NoError(t, win(t, other).Release(), "ids must not share a lock")
	require.NoError(t, won.Release())
	require.NoError(t, won.Release(), "a second release does nothing")
	next := win(t, b)
	lose(t, a)
	require.NoError(t, won.Release(), "nor does it take the lock from a successor")
	lose(t, a)
	require.NoError(t, next.Release())
}

// TestLockFilesStay: a lock file that was removed would elect two primaries.
func TestLockFilesStay(t *testing.T) {
	s := openSite(t, "x", privateOptions(t))
	require.NoError(t, win(t, s).Release())
	lock, err := os.Stat(s.LockPath())
	require.NoError(t, err)
	gate, err := os.Stat(s.GatePath())
	require.NoError(t, err)
	os.SameFile(lock, lock) // on Windows, a FileInfo learns which file it is when it is first asked
	os.SameFile(gate, gate)
	for range 20 {
		won := win(t, s)
		require.NoError(t, won.Publish(unique.Record{Proto: 1, Endpoint: "ipc://x"}))
		require.NoError(t, won.Release())
		now, err := os.Stat(s.LockPath())
		require.NoError(t, err)
		require.True(t, os.SameFile(lock, now))
		now, err = os.Stat(s.GatePath())
		require.NoError(t, err)
		require.True(t, os.SameFile(gate, now))
	}
}

// TestCollectorKeepsTheLock: nobody refers to the tenure any more, but the process is still the primary.
func TestCollectorKeepsTheLock(t *testing.T) {
	o := privateOptions(t)
	func() {
		s, err := unique.OpenSite("x", o)
		require.NoError(t, err)
		win(t, s)
	}()
	other := openSite(t, "x", o)
	for range 20 {
		collected := make(chan struct{})
		runtime.AddCleanup(new([64]byte), func(struct{}) { close(collected) }, struct{}{})
		runtime.GC()
		<-collected // cleanups of this cycle have run
		lose(t, other)
	}
	require.Equal(t, 1, unique.UnlockAll(o.Dir))
	require.NoError(t, win(t, other).Release())
}

// TestGoroutineStorm: never two at once, by the word of a counter that only one may have at 1.
func TestGoroutineStorm(t *testing.T) {
	o := privateOptions(t)
	var inside, wins atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := unique.OpenSite("x", o)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for range size(25, 1000) {
				won, err := s.Elect(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if won == nil {
					runtime.Gosched()
					continue
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d primaries at once", n)
				}
				wins.Add(1)
				if err := won.Publish(unique.Record{Proto: 1, Endpoint: "ipc://x"}); err != nil {
					t.Error(err)
				}
				inside.Add(-1)
				if err := won.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Positive(t, wins.Load())
}

// TestGateHoldsElectionsBack: as a successor does that has asked the primary to leave.
func TestGateHoldsElectionsBack(t *testing.T) {
	o := privateOptions(t)
	s, other := openSite(t, "x", o), openSite(t, "x", o)
	unlock, err := s.LockGate(t.Context())
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	won, err := other.Elect(ctx)
	require.Nil(t, won)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	var wait *unique.LockWaitError
	require.ErrorAs(t, err, &wait)
	require.Equal(t, s.GatePath(), wait.Path)
	if runtime.GOOS == "linux" {
		require.Equal(t, os.Getpid(), wait.PID)
		require.ErrorContains(t, err, "held by pid "+strconv.Itoa(os.Getpid()))
	}

	elected := make(chan *unique.Tenure)
	go func() {
		won, err := other.Elect(t.Context())
		if err != nil {
			t.Error(err)
		}
		elected <- won
	}()
	require.NoError(t, unlock())
	won = <-elected
	require.NotNil(t, won)
	require.NoError(t, won.Release())
}

func TestLaunchersTakeTurns(t *testing.T) {
	o := privateOptions(t)
	var inside, turns atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := unique.OpenSite("x", o)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for range 50 {
				unlock, err := s.TryStart()
				if err != nil {
					t.Error(err)
					return
				}
				if unlock == nil {
					runtime.Gosched()
					continue
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d launchers at once", n)
				}
				turns.Add(1)
				runtime.Gosched()
				inside.Add(-1)
				unlock()
			}
		})
	}
	wg.Wait()
	require.Positive(t, turns.Load())

	a, b := openSite(t, "x", o), openSite(t, "x", o)
	unlock, err := a.TryStart()
	require.NoError(t, err)
	require.NotNil(t, unlock)
	none, err := b.TryStart()
	require.NoError(t, err)
	require.Nil(t, none)
	require.NoError(t, win(t, b).Release(), "a launcher never takes the lock of the election")
	unlock()
	unlock()
	unlock, err = b.TryStart()
	require.NoError(t, err)
	require.NotNil(t, unlock)
	unlock()
}

func TestAnEndedContextElectsNobody(t *testing.T) {
	s := openSite(t, "x", privateOptions(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	won, err := s.Elect(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, won)
	require.NoError(t, win(t, s).Release())
}

func TestHolderIsNamed(t *testing.T) {
	id := strings.Repeat("long and\nodd ", 1000)
	s := openSite(t, id, privateOptions(t))
	require.Zero(t, s.HolderPID())
	won := win(t, s)
	require.Equal(t, os.Getpid(), s.HolderPID())
	text, err := os.ReadFile(s.LockPath())
	if !onWindows { // where the lock keeps readers out
		require.NoError(t, err)
		lines := strings.Split(string(text), "\n")
		require.Equal(t, "pid "+strconv.Itoa(os.Getpid()), lines[0])
		require.True(t, strings.HasPrefix(lines[1], "born "), "%q", text)
		require.True(t, strings.HasPrefix(lines[2], `id "long and\nodd `), "%q", text)
		require.Less(t, len(text), 1000)
	}
	require.NoError(t, won.Release())
}

// TestTextOfTheLockDecidesNothing: a lock file may say what it likes.
func TestTextOfTheLockDecidesNothing(t *testing.T) {
	s := openSite(t, "x", privateOptions(t))
	for _, text := range []string{"pid 1\n", "pid " + strconv.Itoa(os.Getpid()) + "\n", "pid 99999999999999999999\n", "pid -1\n", "\x00\xff", strings.Repeat("x", 1<<16), ""} {
		require.NoError(t, os.WriteFile(s.LockPath(), []byte(text), 0o600))
		_ = s.HolderPID() // must not fail; what it says is for humans
		won := win(t, s)
		require.NoError(t, won.Release())
	}
}
