//go:build unix

package mcast

import (
	"net/netip"
	"os"
	"runtime"
	"syscall"
)

// share lets several sockets have one port, each of which gets every multicast
// packet.
func share(fd uintptr) error {
	if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if option := reusePort; option != 0 {
		return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, 1))
	}
	return nil
}

// reusePort is what the BSDs want in addition: their SO_REUSEPORT means what
// SO_REUSEADDR means on Linux, where SO_REUSEPORT would spread unicast packets
// over the sockets. Its number is the same on all of them.
var reusePort = func() int {
	switch runtime.GOOS {
	case "darwin", "ios", "freebsd", "netbsd", "openbsd", "dragonfly":
		return 0x200
	}
	return 0
}()

// BindTo returns what a socket is bound to that is to hear group and nothing
// else.
func BindTo(group netip.AddrPort) netip.AddrPort { return group }
