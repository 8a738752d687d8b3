package tcp

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// congestion returns the name of c's congestion control.
func congestion(t *testing.T, c net.Conn) (name string) {
	t.Helper()
	rc, err := c.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		name, err = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	}))
	require.NoError(t, err)
	return name
}

// Both ends of a connection within the machine lose the pace, wherever its listener
// listens; and nothing changes where the system's congestion control has none.
func TestLoopbackHasNoPace(t *testing.T) {
	before := paces
	defer func() { paces = before }()
	paces = "none"
	near, far := linked(t, "127.0.0.1:*")
	system := congestion(t, near)
	require.Equal(t, system, congestion(t, far))
	if system == unpaced {
		t.Skipf("the system's congestion control is %s: there is nothing to be seen", system)
	}

	paces = system[:3]
	for _, at := range []string{"127.0.0.1:*", "*:*", "[::1]:*"} {
		if at[0] == '[' && !hasLoopback6() {
			continue
		}
		near, far := linked(t, at)
		require.Equal(t, unpaced, congestion(t, near), at)
		require.Equal(t, unpaced, congestion(t, far), at)
	}
}

func hasLoopback6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// linked returns a connection to a listener at addr, and what that has accepted.
func linked(t *testing.T, addr string) (near, far net.Conn) {
	t.Helper()
	l, err := Transport{}.Listen(t.Context(), addr, nil)
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	host := "127.0.0.1"
	if addr[0] == '[' {
		host = "::1"
	}
	near, err = Transport{}.Dial(t.Context(), net.JoinHostPort(host, port), nil)
	require.NoError(t, err)
	t.Cleanup(func() { near.Close() })
	far, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { far.Close() })
	return near, far
}
