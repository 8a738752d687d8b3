package mcast

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// onlyJoined has a socket hear the groups that it has joined itself, and not those of
// others on this host: it is bound to the port of a group, not to the group.
func onlyJoined(rc syscall.RawConn, v6 bool) (err error) {
	level, option := unix.IPPROTO_IP, unix.IP_MULTICAST_ALL
	if v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL
	}
	ctlErr := rc.Control(func(fd uintptr) {
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), level, option, 0))
	})
	if errors.Is(err, unix.ENOPROTOOPT) || ctlErr != nil { // a Linux before 4.20, with IPv6
		return ctlErr
	}
	return err
}
