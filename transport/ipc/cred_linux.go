package ipc

import (
	"os"
	"syscall"

	"github.com/solomq/solomq/transport"
)

func peerCred(fd uintptr) (transport.Cred, error) {
	u, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return unknown, os.NewSyscallError("getsockopt", err)
	}
	c := transport.Cred{PID: int(u.Pid), UID: int(u.Uid), GID: int(u.Gid)}
	if c.PID == 0 {
		c.PID = -1 // a process that this pid name space has no number for
	}
	return c, nil
}
