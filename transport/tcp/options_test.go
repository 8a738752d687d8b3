//go:build linux

package tcp_test

import (
	"context"
	"errors"
	"math"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/tcp"
)

// sockopt reads a socket option of c.
func sockopt(t *testing.T, c syscall.Conn, level, name int) int {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	var n int
	var optErr error
	require.NoError(t, rc.Control(func(fd uintptr) { n, optErr = syscall.GetsockoptInt(int(fd), level, name) }))
	require.NoError(t, optErr)
	return n
}

// What the options say is in force at both ends, and by default no more than
// TCP_NODELAY and keep-alive.
func TestOptions(t *testing.T) {
	const ipv6Only = "[::1]:*"
	plain := listen(t, "127.0.0.1:*", nil)
	a, b := pair(t, plain, plain.Addr().String(), nil)
	usual := sockopt(t, a, syscall.SOL_SOCKET, syscall.SO_SNDBUF)
	for _, c := range []*net.TCPConn{a, b} {
		require.Equal(t, 1, sockopt(t, c, syscall.IPPROTO_TCP, syscall.TCP_NODELAY))
		require.Equal(t, 1, sockopt(t, c, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE))
		require.Equal(t, 15, sockopt(t, c, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE))
		require.Zero(t, sockopt(t, c, syscall.IPPROTO_IP, syscall.IP_TOS))
		require.Zero(t, sockopt(t, c, syscall.SOL_SOCKET, syscall.SO_PRIORITY))
		require.Zero(t, sockopt(t, c, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT))
		require.Equal(t, syscall.IPPROTO_TCP, sockopt(t, c, syscall.SOL_SOCKET, syscall.SO_PROTOCOL), "not MPTCP")
	}

	opts := &transport.Options{
		KeepAlive:    net.KeepAliveConfig{Enable: true, Idle: 7 * time.Second, Interval: 3 * time.Second, Count: 4},
		SendBuffer:   11_000,
		RecvBuffer:   13_000,
		TrafficClass: 0x48,
		Priority:     5,
		Interface:    loopback(t),

		MaxRetransmit: 4500*time.Millisecond + time.Nanosecond,
	}
	for _, addr := range []string{"127.0.0.1:*", ipv6Only} {
		if addr == ipv6Only && !hasIPv6() {
			continue
		}
		l := listen(t, addr, opts)
		a, b := pair(t, l, l.Addr().String(), opts)
		for _, c := range []*net.TCPConn{a, b} {
			require.Equal(t, 7, sockopt(t, c, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE))
			require.Equal(t, 3, sockopt(t, c, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL))
			require.Equal(t, 4, sockopt(t, c, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT))
			require.Equal(t, 22_000, sockopt(t, c, syscall.SOL_SOCKET, syscall.SO_SNDBUF), "Linux doubles it; usual is %d", usual)
			require.Equal(t, 5, sockopt(t, c, syscall.SOL_SOCKET, syscall.SO_PRIORITY))
			require.Equal(t, 4501, sockopt(t, c, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT), "milliseconds, rounded up")
			require.Equal(t, 26_000, sockopt(t, c, syscall.SOL_SOCKET, syscall.SO_RCVBUF))
			if addr == ipv6Only {
				require.Equal(t, 0x48, sockopt(t, c, syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS))
			} else {
				require.Equal(t, 0x48, sockopt(t, c, syscall.IPPROTO_IP, syscall.IP_TOS))
			}
		}
	}

	off := &transport.Options{KeepAlive: net.KeepAliveConfig{Idle: -1}}
	l := listen(t, "127.0.0.1:*", off)
	a, b = pair(t, l, l.Addr().String(), off)
	require.Zero(t, sockopt(t, a, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE))
	require.Zero(t, sockopt(t, b, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE))
}

func TestBadOptions(t *testing.T) {
	for why, opts := range map[string]transport.Options{
		"no-such-device": {Interface: "no-such-device"},
		"TrafficClass":   {TrafficClass: 256},
		"negative":       {SendBuffer: -1},
		"Backlog is -1":  {Backlog: -1},
		"Priority":       {Priority: -1},
		"MaxRetransmit":  {MaxRetransmit: -1},
		"want 0 to":      {MaxRetransmit: 1 << 62},
	} {
		_, err := tcp.Transport{}.Listen(t.Context(), "127.0.0.1:*", &opts)
		require.ErrorContains(t, err, why)
		_, err = tcp.Transport{}.Dial(t.Context(), "127.0.0.1:1", &opts)
		require.ErrorContains(t, err, why)
	}
}

// What would be cut without a word is an error.
func TestBacklogOverTheLimit(t *testing.T) {
	_, err := tcp.Transport{}.Listen(t.Context(), "127.0.0.1:*", &transport.Options{Backlog: math.MaxInt32})
	require.ErrorContains(t, err, "Backlog of 2147483647 is over the limit of")
	require.ErrorContains(t, err, "somaxconn")
}

// A queue of the wanted length, and a Dial that waits because it is full: it ends
// with its context.
func TestBacklogAndContext(t *testing.T) {
	l := listen(t, "127.0.0.1:*", &transport.Options{Backlog: 1})
	var err error
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		var c transport.Conn
		c, err = tcp.Transport{}.Dial(ctx, l.Addr().String(), nil)
		cancel()
		if err != nil {
			break
		}
		defer c.Close()
	}
	require.ErrorIs(t, err, context.DeadlineExceeded, "a queue of 1 takes ten connections")

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		c, err := tcp.Transport{}.Dial(ctx, l.Addr().String(), nil)
		if err == nil {
			c.Close()
		}
		done <- err
	}()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}

// An accept that fails for want of descriptors says so, and works again later.
func TestAcceptEMFILE(t *testing.T) {
	l := listen(t, "127.0.0.1:*", nil)
	c, err := tcp.Transport{}.Dial(t.Context(), l.Addr().String(), nil)
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

func TestErrorsAreCauses(t *testing.T) {
	l := listen(t, "127.0.0.1:*", nil)
	_, err := tcp.Transport{}.Listen(t.Context(), l.Addr().String(), nil)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.ErrorContains(t, err, l.Addr().String())
	require.NoError(t, l.Close())
	_, err = tcp.Transport{}.Dial(t.Context(), l.Addr().String(), nil)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.False(t, errors.Is(err, net.ErrClosed))
}
