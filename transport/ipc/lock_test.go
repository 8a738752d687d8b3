//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package ipc_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/ipc"
)

// Listen waits for whoever has the directory locked, until its context ends.
func TestDirectoryLocked(t *testing.T) {
	path := freshPath(t)
	dir, err := os.Open(filepath.Dir(path))
	require.NoError(t, err)
	defer dir.Close()
	require.NoError(t, syscall.Flock(int(dir.Fd()), syscall.LOCK_EX))

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = ipc.Transport{}.Listen(ctx, path, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "another process holds the lock")
	require.NoFileExists(t, path)

	done := make(chan error, 1)
	go func() {
		l, err := ipc.Transport{}.Listen(t.Context(), path, nil)
		if err == nil {
			err = l.Close()
		}
		done <- err
	}()
	require.NoError(t, syscall.Flock(int(dir.Fd()), syscall.LOCK_UN))
	require.NoError(t, <-done)
}

// Close does not wait for ever for the lock, and never without waking Accept. What
// it leaves is stale, and the next Listen removes it.
func TestCloseWithDirectoryLocked(t *testing.T) {
	path := freshPath(t)
	l := listen(t, path, nil)
	dir, err := os.Open(filepath.Dir(path))
	require.NoError(t, err)
	defer dir.Close()
	require.NoError(t, syscall.Flock(int(dir.Fd()), syscall.LOCK_EX))

	accepted := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	require.ErrorContains(t, l.Close(), "left behind")
	require.ErrorIs(t, <-accepted, net.ErrClosed)
	require.FileExists(t, path)
	require.NoError(t, syscall.Flock(int(dir.Fd()), syscall.LOCK_UN))
	reach(t, path, listen(t, path, nil))
}
