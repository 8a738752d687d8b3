//go:build unix

package ipc_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/ipc"
)

// Two binders on one stale path: one wins, each time, and it is the one that
// connections reach.
func TestStaleTwoBinders(t *testing.T) {
	path := freshPath(t)
	for round := range rounds(200, 1000) {
		leaveStale(t, path)
		var won [2]transport.Listener
		var lost [2]error
		start := make(chan struct{})
		var binders sync.WaitGroup
		for i := range won {
			binders.Go(func() {
				<-start
				won[i], lost[i] = ipc.Transport{}.Listen(t.Context(), path, nil)
			})
		}
		close(start)
		binders.Wait()
		if won[0] == nil {
			won[0], won[1], lost[0], lost[1] = won[1], won[0], lost[1], lost[0]
		}
		require.NoError(t, lost[0], "round %d: nobody won", round)
		require.Nil(t, won[1], "round %d: both won", round)
		require.ErrorIs(t, lost[1], syscall.EADDRINUSE, "round %d", round)
		reach(t, path, won[0])
		require.NoError(t, won[0].Close())
		require.NoFileExists(t, path)
	}
}

// The same with two processes.
func TestStaleTwoProcesses(t *testing.T) {
	path := freshPath(t)
	helpers := []*helper{startHelper(t), startHelper(t)}
	for round := range rounds(100, 1000) {
		leaveStale(t, path)
		for _, h := range helpers {
			h.send(t, "listen "+path)
		}
		winner, loser := helpers[0], helpers[1]
		first, second := winner.answer(t), loser.answer(t)
		if first != "ok" {
			winner, first, second = loser, second, first
		}
		require.Equal(t, "ok", first, "round %d: nobody won", round)
		require.Equal(t, "in use", second, "round %d", round)

		c, err := ipc.Transport{}.Dial(t.Context(), path, nil)
		require.NoError(t, err)
		winner.send(t, "greet")
		pid := make([]byte, 20)
		n, err := c.Read(pid)
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(winner.cmd.Process.Pid), string(pid[:n]))
		c.Close()
		require.Equal(t, "ok", winner.answer(t))
		require.Equal(t, "ok", winner.do(t, "close"))
		require.NoFileExists(t, path)
	}
}

// Somebody who takes no lock and asks nobody (as libzmq does) has replaced the
// file of a listener. Closing that must leave the successor's path.
func TestCloseLeavesSuccessor(t *testing.T) {
	path := freshPath(t)
	for range rounds(50, 1000) {
		old, err := ipc.Transport{}.Listen(t.Context(), path, nil)
		require.NoError(t, err)
		require.NoError(t, os.Remove(path))
		successor, err := ipc.Transport{}.Listen(t.Context(), path, nil)
		require.NoError(t, err)
		require.NoError(t, old.Close())
		reach(t, path, successor)
		require.NoError(t, successor.Close())
		require.NoFileExists(t, path)
	}
}

// A successor that tries all the time while the old listener closes: its path is
// there once both are done.
func TestCloseWhileBinding(t *testing.T) {
	path := freshPath(t)
	old, err := ipc.Transport{}.Listen(t.Context(), path, nil)
	require.NoError(t, err)
	for range rounds(200, 1000) {
		next := make(chan transport.Listener, 1)
		go func() {
			for {
				l, err := ipc.Transport{}.Listen(t.Context(), path, nil)
				if errors.Is(err, syscall.EADDRINUSE) {
					continue
				}
				if err != nil {
					t.Errorf("Listen: %v", err)
				}
				next <- l
				return
			}
		}()
		require.NoError(t, old.Close())
		old = <-next
		require.NotNil(t, old)
		reach(t, path, old)
	}
	require.NoError(t, old.Close())
}

// What is in the way and not a stale socket stays there.
func TestListenKeepsWhatIsThere(t *testing.T) {
	for name, obstacle := range map[string]struct {
		put func(t *testing.T, path string)
		why string
	}{
		"listener": {func(t *testing.T, path string) { listen(t, path, nil) }, "a live process listens there"},
		"full backlog": {func(t *testing.T, path string) {
			listen(t, path, &transport.Options{Backlog: 1})
			fill(t, path)
		}, "a live process listens there"},
		"not listening yet": {func(t *testing.T, path string) {
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			require.NoError(t, err)
			t.Cleanup(func() { syscall.Close(fd) })
			require.NoError(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
		}, "a live process listens there"},
		"datagram socket": {func(t *testing.T, path string) {
			c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
			require.NoError(t, err)
			t.Cleanup(func() { c.Close() })
		}, "a live process listens there"},
		"file": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
		}, "is not a socket"},
		"directory": {func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, "is not a socket"},
		"link": {func(t *testing.T, path string) {
			leaveStale(t, path+"2")
			require.NoError(t, os.Symlink(path+"2", path))
		}, "is not a socket"},
		"dangling link": {func(t *testing.T, path string) {
			require.NoError(t, os.Symlink("nowhere", path))
		}, "is not a socket"},
	} {
		t.Run(name, func(t *testing.T) {
			path := freshPath(t)
			obstacle.put(t, path)
			before, err := os.Lstat(path)
			require.NoError(t, err)
			_, err = ipc.Transport{}.Listen(t.Context(), path, nil)
			require.ErrorIs(t, err, syscall.EADDRINUSE)
			require.ErrorContains(t, err, obstacle.why)
			require.ErrorContains(t, err, "ipc: listen "+path)
			after, err := os.Lstat(path)
			require.NoError(t, err)
			require.True(t, os.SameFile(before, after))
		})
	}
}

// The listener that is asked about notices nothing.
func TestProbeIsSilent(t *testing.T) {
	path := freshPath(t)
	l := listen(t, path, nil)
	_, err := ipc.Transport{}.Listen(t.Context(), path, nil)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	accepted := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			c.Close()
		}
		accepted <- err
	}()
	require.NoError(t, l.Close())
	require.ErrorIs(t, <-accepted, net.ErrClosed, "the probe came in as a connection")
}

// Only the user may connect, whatever the umask.
func TestMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := freshPath(t)
	listen(t, path, nil)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestNoDirectory(t *testing.T) {
	path := filepath.Join(freshPath(t), "deeper", "s")
	_, err := ipc.Transport{}.Listen(t.Context(), path, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, path)
}

// The directory may go before the listener.
func TestDirectoryRemoved(t *testing.T) {
	path := freshPath(t)
	l := listen(t, path, nil)
	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	require.NoError(t, l.Close())
}

// A relative path is one of the directory in which Listen was called.
func TestRelativePath(t *testing.T) {
	path := freshPath(t)
	t.Chdir(filepath.Dir(path))
	l := listen(t, "s", nil)
	require.Equal(t, "s", l.Addr().String())
	reach(t, path, l)
	reach(t, "./s", l)
	t.Chdir("/")
	require.NoError(t, l.Close())
	require.NoFileExists(t, path)
}

func TestLongPath(t *testing.T) {
	limit := len(syscall.RawSockaddrUnix{}.Path) - 1
	dir := filepath.Dir(freshPath(t))
	longest := filepath.Join(dir, strings.Repeat("x", limit-len(dir)-1))
	require.Len(t, longest, limit)
	reach(t, longest, listen(t, longest, nil))

	_, err := ipc.Transport{}.Listen(t.Context(), longest+"x", nil)
	require.ErrorContains(t, err, fmt.Sprintf("%d bytes is over the limit of %d", limit+1, limit))
	require.NoFileExists(t, longest+"x")
	_, err = ipc.Transport{}.Dial(t.Context(), longest+"x", nil)
	require.ErrorContains(t, err, fmt.Sprintf("%d bytes is over the limit of %d", limit+1, limit))
}

func TestWildcard(t *testing.T) {
	a, b := listen(t, "*", nil), listen(t, "*", nil)
	require.NotEqual(t, a.Addr().String(), b.Addr().String())
	dir := filepath.Dir(a.Addr().String())
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.ModeDir|0o700, info.Mode())
	reach(t, a.Addr().String(), a)
	reach(t, b.Addr().String(), b)
	require.NoError(t, a.Close())
	require.NoDirExists(t, dir)
	_, err = ipc.Transport{}.Dial(t.Context(), "*", nil)
	require.ErrorContains(t, err, "wildcard")
}

func TestWildcardTooDeep(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	require.NoError(t, os.Mkdir(deep, 0o700))
	t.Setenv("TMPDIR", deep)
	_, err := ipc.Transport{}.Listen(t.Context(), "*", nil)
	require.ErrorContains(t, err, "TMPDIR")
	left, err := os.ReadDir(deep)
	require.NoError(t, err)
	require.Empty(t, left)
}
