package mcast

import (
	"net/netip"
	"os"
	"syscall"
)

// share lets several sockets have one port, each of which gets every multicast
// packet.
func share(fd uintptr) error {
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
}

// BindTo returns what a socket is bound to that is to hear group: here, it hears
// all others of that port, too.
func BindTo(group netip.AddrPort) netip.AddrPort { return anyOf(group) }
