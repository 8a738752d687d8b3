package unique_test

import (
	"context"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

func testRecord(generation byte) unique.Record {
	return unique.Record{Proto: 1, Endpoint: "ipc:///x", Generation: [16]byte{generation}}
}

// TestWipedDirectory: a cleaner of temporary files removed everything while we are the primary.
func TestWipedDirectory(t *testing.T) {
	if onWindows {
		t.Skip("open files cannot be removed here")
	}
	o := privateOptions(t)
	a, b := openSite(t, "x", o), openSite(t, "x", o)
	won := win(t, a)
	require.NoError(t, won.Publish(testRecord(1)))
	require.False(t, won.Uprooted())
	require.NoError(t, os.RemoveAll(o.Dir))
	require.True(t, won.Uprooted())
	_, err := b.ReadRecord()
	require.ErrorIs(t, err, unique.ErrNoRecord)

	if a.WitnessName() != "" { // the lock is free, but somebody goes on being the primary
		lose(t, b)
		require.Equal(t, os.Getpid(), b.HolderPID())
		require.NoError(t, won.Replant(t.Context()))
		require.False(t, won.Uprooted())
		require.NoError(t, won.Republish())
		r, err := b.ReadRecord()
		require.NoError(t, err)
		require.Equal(t, [16]byte{1}, r.Generation)
		lose(t, b)
		require.NoError(t, os.RemoveAll(o.Dir))
		won.DropWitness()
	}

	// The directory comes back, safe, for whoever stands for election next.
	next := win(t, b)
	fi, err := os.Stat(o.Dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), fi.Mode().Perm())
	require.NoError(t, next.Publish(testRecord(2)))
	var lost *unique.UprootedError
	require.ErrorAs(t, won.Replant(t.Context()), &lost)
	require.ErrorIs(t, lost, unique.ErrLost)
	require.Equal(t, a.LockPath(), lost.Path)
	require.NoError(t, won.Republish(), "which is none of its business any more")
	require.False(t, next.Uprooted())

	// The one that was uprooted takes nothing of the successor's with it.
	require.NoError(t, won.Release())
	r, err := a.ReadRecord()
	require.NoError(t, err)
	require.Equal(t, [16]byte{2}, r.Generation)
	lose(t, a)
	require.NoError(t, next.Release())
}

// TestReplacedByALink: what comes back instead of a wiped directory is checked like the first.
func TestReplacedByALink(t *testing.T) {
	if onWindows {
		t.Skip("links need privileges here")
	}
	o, elsewhere := privateOptions(t), privateDir(t)
	s := openSite(t, "x", o)
	require.NoError(t, os.RemoveAll(o.Dir))
	require.NoError(t, os.Symlink(elsewhere+"/gone", o.Dir)) // leads to nothing: opening a lock file says "not found"
	_, err := s.Elect(t.Context())
	require.ErrorIs(t, err, unique.ErrUnsafeDir)
}

// TestWipingStorm: elections while the directory goes away again and again, in every moment: none fails or hangs.
func TestWipingStorm(t *testing.T) {
	if onWindows {
		t.Skip("open files cannot be removed here")
	}
	o := privateOptions(t)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			s, err := unique.OpenSite("x", o)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for ctx.Err() == nil {
				won, err := s.Elect(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if won == nil {
					continue
				}
				if err := won.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range size(50, 2000) {
		_ = os.RemoveAll(o.Dir) // fails when a file is made in this moment: fine
	}
	stop()
	wg.Wait()
}

func TestRepublish(t *testing.T) {
	s := openSite(t, "x", privateOptions(t))
	won := win(t, s)
	require.NoError(t, won.Republish(), "nothing is published yet")
	require.NoFileExists(t, s.RecordPath())
	require.NoError(t, won.Publish(testRecord(1)))
	want, err := s.ReadRecord()
	require.NoError(t, err)
	for _, spoil := range []func() error{
		func() error { return os.Remove(s.RecordPath()) },
		func() error { return os.WriteFile(s.RecordPath(), []byte("garbage"), 0o600) },
		func() error { return os.WriteFile(s.RecordPath(), new(unique.Record).AppendTo(nil), 0o600) },
	} {
		require.NoError(t, spoil())
		require.NoError(t, won.Republish())
		got, err := s.ReadRecord()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.NoError(t, won.Withdraw())
	require.NoError(t, won.Republish(), "what was withdrawn stays so")
	require.NoFileExists(t, s.RecordPath())
	require.NoError(t, won.Release())
	require.NoError(t, won.Republish())
	require.Error(t, won.Publish(testRecord(1)), "after release another may be the primary")
}

func TestWithdrawLeavesOthersAlone(t *testing.T) {
	s := openSite(t, "x", privateOptions(t))
	won := win(t, s)
	require.NoError(t, won.Publish(testRecord(1)))
	require.NoError(t, won.Publish(testRecord(2)), "publishing again replaces")
	mine, err := s.ReadRecord()
	require.NoError(t, err)
	require.Equal(t, [16]byte{2}, mine.Generation)

	theirs := mine
	theirs.Generation = [16]byte{3}
	require.NoError(t, os.WriteFile(s.RecordPath(), theirs.AppendTo(nil), 0o600))
	require.NoError(t, won.Withdraw())
	require.NoError(t, won.Release())
	r, err := s.ReadRecord()
	require.NoError(t, err)
	require.Equal(t, theirs, r)

	// The next primary removes it before anything else.
	won = win(t, s)
	_, err = s.ReadRecord()
	require.ErrorIs(t, err, unique.ErrNoRecord)
	require.NoError(t, won.Release())
}

// TestReplacedLockFile: a lock on a file that is no longer the one at its path is worth nothing. Here each holder removes
// the file as it leaves, so whoever opened it just before and locks it just after meets those who lock its successor.
func TestReplacedLockFile(t *testing.T) {
	if onWindows {
		t.Skip("open files cannot be removed here")
	}
	o := privateOptions(t)
	path := openSite(t, "x", o).StartPath()
	var inside atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := unique.OpenSite("x", o)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for range size(2000, 50000) {
				unlock, err := s.TryStart()
				if err != nil {
					t.Error(err)
					return
				}
				if unlock == nil {
					continue
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				runtime.Gosched()
				inside.Add(-1)
				_ = os.Remove(path)
				unlock()
			}
		})
	}
	wg.Wait()
}
