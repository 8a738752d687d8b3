package tcp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

func setSendBuffer(fd uintptr, n int) error {
	return setInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, n)
}

func setRecvBuffer(fd uintptr, n int) error {
	return setInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, n)
}

func setTrafficClass(fd uintptr, v6 bool, n int) error {
	const ipv6TClass = 39 // IPV6_TCLASS of ws2ipdef.h; not in package syscall
	if v6 {
		return setInt(fd, syscall.IPPROTO_IPV6, ipv6TClass, n)
	}
	return setInt(fd, syscall.IPPROTO_IP, syscall.IP_TOS, n)
}

func setBacklog(*net.TCPListener, int) error {
	return fmt.Errorf("option Backlog: %w on this system", errors.ErrUnsupported)
}

func setInt(fd uintptr, level, name, value int) error {
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(syscall.Handle(fd), level, name, value))
}
