package unique_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// tendSoon makes primaries look after their files at once where the system does
// not tell them to; where it does, hardly ever, so that the test shows it.
func tendSoon(t *testing.T) {
	every := time.Hour
	if runtime.GOOS != "linux" {
		every = 10 * time.Millisecond
	}
	t.Cleanup(unique.TendEvery(every))
}

// TestPrimaryIsFoundAgain: whatever a cleaner removes, the primary is found again,
// remains the only one, and its channels work.
func TestPrimaryIsFoundAgain(t *testing.T) {
	if onWindows {
		t.Skip("open files cannot be removed here")
	}
	tendSoon(t)
	for what, remove := range map[string]func(l *unique.Location) error{
		"everything":     func(l *unique.Location) error { _ = os.RemoveAll(l.Dir); return nil }, // it is put back at once
		"the files":      func(l *unique.Location) error { return removeFiles(l.Dir) },
		"the record":     func(l *unique.Location) error { return os.Remove(l.Record) },
		"the lock":       func(l *unique.Location) error { return os.Remove(l.Lock) },
		"the socket":     func(l *unique.Location) error { return os.Remove(l.Socket) },
		"their place":    func(l *unique.Location) error { _ = os.RemoveAll(filepath.Dir(l.Socket)); return nil },
		"by moving":      func(l *unique.Location) error { return os.Rename(l.Dir, l.Dir+".moved") },
		"the lock twice": func(l *unique.Location) error { _ = os.Remove(l.Lock); return os.Remove(l.Gate) },
	} {
		t.Run(what, func(t *testing.T) {
			opts := uniquetest.Options(t)
			opts.Dir = filepath.Join(opts.Dir, "d")
			app := primary(t, opts, func(_ context.Context, inv *unique.Invocation) int { return len(inv.Args) })
			old := secondary(t, opts)
			pub, err := app.Open(within(t), "news", msgcore.Pub, nil)
			require.NoError(t, err)
			defer pub.Close()
			l, err := unique.Where(testID, opts)
			require.NoError(t, err)
			require.NoError(t, remove(l))

			// In this very moment, too, there is one primary.
			next, err := unique.Acquire(within(t), testID, opts)
			require.NoError(t, err)
			require.Equal(t, unique.Secondary, next.Role())
			code, err := next.Forward(within(t), &unique.Invocation{Args: []string{"a", "b"}})
			require.NoError(t, err)
			require.Equal(t, 2, code)
			require.NoError(t, next.Close())
			_, err = old.Forward(within(t), &unique.Invocation{})
			require.NoError(t, err)
			require.NoError(t, app.Err())

			third := secondary(t, opts)
			require.Eventually(t, func() bool { // the socket and then the rest are put back
				return app.Stats().Republished > 0
			}, patience, time.Millisecond)
			sub, err := third.Open(within(t), "news", msgcore.Sub, nil)
			require.NoError(t, err)
			defer sub.Close()
			require.NoError(t, sub.Subscribe(""))
			require.NoError(t, pub.WaitSubscribers(within(t), 1))
		})
	}
}

func removeFiles(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Remove(path)
		}
		return err
	})
}

// TestLostPlace: where no witness helps, a primary that was replaced behind its
// back ends what runs, takes nothing new, and says why.
func TestLostPlace(t *testing.T) {
	if onWindows {
		t.Skip("open files cannot be removed here")
	}
	t.Cleanup(unique.TendNothing()) // it does not notice until the other one is there
	opts := uniquetest.Options(t)
	opts.Dir = filepath.Join(opts.Dir, "d")
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	served := make(chan error, 1)
	running, release := make(chan struct{}), make(chan struct{})
	go func() {
		served <- app.Serve(context.Background(), func(context.Context, *unique.Invocation) int {
			close(running)
			<-release
			return 7
		})
	}()
	second := secondary(t, opts)
	code := make(chan int, 1)
	go func() {
		c, err := second.Forward(within(t), &unique.Invocation{})
		if err != nil {
			t.Error(err)
		}
		code <- c
	}()
	<-running
	app.DropWitness()
	require.NoError(t, os.RemoveAll(opts.Dir))
	next, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, unique.Primary, next.Role())
	app.Mend()
	<-app.Lost()
	var lost *unique.UprootedError
	require.ErrorAs(t, app.Err(), &lost)
	close(release)
	require.Equal(t, 7, <-code)
	require.ErrorIs(t, <-served, unique.ErrLost)
	require.NoError(t, app.Close())
	found, err := unique.Lookup(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, next.Holder().Endpoint, found.Endpoint)
	require.NoError(t, next.Close())
}

// TestDirectoryIsKeptLocked: systemd-tmpfiles leaves directories alone that are.
func TestDirectoryIsKeptLocked(t *testing.T) {
	opts := uniquetest.Options(t)
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	if !canLockDirs {
		t.Skip("directories cannot be locked here")
	}
	require.True(t, dirIsLocked(t, opts.Dir))
	other, err := unique.Acquire(within(t), "another.id", opts)
	require.NoError(t, err)
	require.NoError(t, app.Close())
	require.True(t, dirIsLocked(t, opts.Dir), "by each primary in it")
	pub, err := other.Open(within(t), strings.Repeat("x", 300), msgcore.Pub, nil)
	require.NoError(t, err, "which must not keep sockets from being bound")
	require.NoError(t, pub.Close())
	require.NoError(t, other.Close())
	require.False(t, dirIsLocked(t, opts.Dir))
}
