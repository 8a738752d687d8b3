package tcp

import (
	"net"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// The system's congestion control may be bbr, which models a network: it sends at the
// rate that it has measured, and makes pauses to measure anew. Between two processes
// of one machine there is no network and nothing gets lost; there it costs a third of
// the throughput. So such connections get another one.

var (
	paces   = "bbr"  // begins the names of those that do this; changed by tests only
	unpaced = "reno" // which every Linux has and everybody may choose
)

// unpace takes the pace off the socket fd if it goes to, or listens at, an address of
// this machine. Where that cannot be, things are as they were. Accepted connections
// inherit it.
func unpace(fd uintptr, addr string) {
	at, err := netip.ParseAddrPort(addr)
	if err == nil && at.Addr().Unmap().IsLoopback() && isPaced(fd) {
		setUnpaced(fd)
	}
}

func isPaced(fd uintptr) bool {
	name, err := unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	return err == nil && strings.HasPrefix(name, paces)
}

func setUnpaced(fd uintptr) {
	_ = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, unpaced)
}

// acceptsPaced reports whether the connections that l accepts have a pace.
func acceptsPaced(l *net.TCPListener) (paced bool) {
	if rc, err := l.SyscallConn(); err == nil {
		_ = rc.Control(func(fd uintptr) { paced = isPaced(fd) })
	}
	return paced
}

// unpaceAccepted is unpace for a connection that was accepted at any address.
func unpaceAccepted(c *net.TCPConn) {
	if from, ok := c.RemoteAddr().(*net.TCPAddr); !ok || !from.IP.IsLoopback() {
		return
	}
	if rc, err := c.SyscallConn(); err == nil {
		_ = rc.Control(setUnpaced)
	}
}
