package ipc

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/transport"
)

func peerCred(fd uintptr) (transport.Cred, error) {
	x, err := unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return unknown, os.NewSyscallError("getsockopt", err)
	}
	c := transport.Cred{PID: -1, UID: int(x.Uid), GID: -1}
	if x.Ngroups > 0 {
		c.GID = int(x.Groups[0])
	}
	if pid, err := unix.GetsockoptInt(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERPID); err == nil && pid > 0 {
		c.PID = pid
	}
	return c, nil
}
