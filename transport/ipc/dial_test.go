//go:build unix

package ipc_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/ipc"
)

// fill connects to path until the listener's queue is full.
func fill(t *testing.T, path string) (connections int) {
	t.Helper()
	for n := range 1000 {
		c, err := net.Dial("unix", path)
		if err != nil {
			return n
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("a queue of 1 takes 1000 connections")
	return 0
}

// What cannot be meant, or would be cut without a word, is an error.
func TestBadOptions(t *testing.T) {
	for why, opts := range map[string]*transport.Options{
		"negative":                    {RecvBuffer: -1},
		"option Backlog is -1":        {Backlog: -1},
		"is over the limit of":        {Backlog: math.MaxInt32},
		"has a Password, but no User": {Proxy: transport.Proxy{Addr: "x:1", Password: "x"}},
	} {
		if opts.Backlog > 0 && runtime.GOOS != "linux" {
			continue
		}
		_, err := ipc.Transport{}.Listen(t.Context(), freshPath(t), opts)
		require.ErrorContains(t, err, why)
		if opts.Backlog > 0 {
			continue // nothing to Dial
		}
		_, err = ipc.Transport{}.Dial(t.Context(), freshPath(t), opts)
		require.ErrorContains(t, err, why)
	}
}

// A listener that does not accept: Dial tries until its context ends, and then
// says what was wrong.
func TestDialFullBacklog(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a full queue from a dead listener")
	}
	path := freshPath(t)
	l := listen(t, path, &transport.Options{Backlog: 1})
	waiting := fill(t, path)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := ipc.Transport{}.Dial(ctx, path, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "ipc: dial "+path+": the peer does not accept")

	// Once it accepts, the connection that waits gets its turn.
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c, err := ipc.Transport{}.Dial(ctx, path, nil)
		if err == nil {
			_, err = c.Write([]byte("made it"))
			c.Close()
		}
		done <- err
	}()
	defer time.AfterFunc(2*patience, func() { l.Close() }).Stop() // if nobody comes
	for range waiting {
		c, err := l.Accept()
		require.NoError(t, err)
		c.Close()
	}
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	said, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, "made it", string(said))
	require.NoError(t, <-done)
}

func TestDialNobody(t *testing.T) {
	path := freshPath(t)
	_, err := ipc.Transport{}.Dial(t.Context(), path, nil)
	require.ErrorIs(t, err, syscall.ENOENT)
	require.ErrorContains(t, err, path)
	leaveStale(t, path)
	_, err = ipc.Transport{}.Dial(t.Context(), path, nil)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestBadAddr(t *testing.T) {
	for addr, why := range map[string]string{
		"":       "empty",
		"a\x00":  "zero byte",
		"@":      "empty",
		"@a\x00": "zero byte",
	} {
		_, err := ipc.Transport{}.Listen(t.Context(), addr, nil)
		require.ErrorContains(t, err, why)
		_, err = ipc.Transport{}.Dial(t.Context(), addr, nil)
		require.ErrorContains(t, err, why)
	}
}

func TestAbstract(t *testing.T) {
	name := freshAbstract(t)
	if runtime.GOOS != "linux" {
		_, err := ipc.Transport{}.Listen(t.Context(), name, nil)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		return
	}
	l := listen(t, name, nil)
	require.Equal(t, name, l.Addr().String())
	reach(t, name, l)
	_, err := ipc.Transport{}.Listen(t.Context(), name, nil)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}

// An accept that fails for want of descriptors says so, and works again later.
func TestAcceptEMFILE(t *testing.T) {
	path := freshPath(t)
	l := listen(t, path, nil)
	c, err := ipc.Transport{}.Dial(t.Context(), path, nil)
	require.NoError(t, err)
	defer c.Close()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	none := limit
	none.Cur = 0
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none))
	_, err = l.Accept()
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	require.ErrorIs(t, err, syscall.EMFILE)
	b, err := l.Accept()
	require.NoError(t, err)
	b.Close()
}

// The connection is one that msgcore can read and write without detours.
func TestConnIsSyscallConn(t *testing.T) {
	path := freshPath(t)
	listen(t, path, nil)
	c, err := ipc.Transport{}.Dial(t.Context(), path, &transport.Options{SendBuffer: 9000, RecvBuffer: 10_000})
	require.NoError(t, err)
	defer c.Close()
	rc, err := c.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		n, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, 9000)
		require.LessOrEqual(t, n, 18_000)
	}))
}
