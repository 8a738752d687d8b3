package tcp

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func setMaxRetransmit(fd uintptr, d time.Duration) error {
	ms := (d + time.Millisecond - 1) / time.Millisecond // 0 would mean the system's
	return setInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(ms))
}

func setPriority(fd uintptr, n int) error {
	return setInt(fd, syscall.SOL_SOCKET, syscall.SO_PRIORITY, n)
}
