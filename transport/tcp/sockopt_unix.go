//go:build unix

package tcp

import (
	"net"
	"os"
	"syscall"

	"github.com/solomq/solomq/transport/internal/backlog"
)

func setSendBuffer(fd uintptr, n int) error {
	return setInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, n)
}

func setRecvBuffer(fd uintptr, n int) error {
	return setInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, n)
}

func setTrafficClass(fd uintptr, v6 bool, n int) error {
	if !v6 {
		return setInt(fd, syscall.IPPROTO_IP, syscall.IP_TOS, n)
	}
	// An IPv6 socket may carry IPv4 as well; not every system lets it be told.
	_ = setInt(fd, syscall.IPPROTO_IP, syscall.IP_TOS, n)
	return setInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, n)
}

// setBacklog changes the length of l's accept queue: package net has no other
// way, and a second listen(2) does nothing else.
func setBacklog(l *net.TCPListener, n int) error {
	if err := backlog.Check(n); err != nil {
		return err
	}
	rc, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var lErr error
	if err := rc.Control(func(fd uintptr) { lErr = os.NewSyscallError("listen", syscall.Listen(int(fd), n)) }); err != nil {
		return err
	}
	return lErr
}

func setInt(fd uintptr, level, name, value int) error {
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), level, name, value))
}
