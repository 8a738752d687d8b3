package unique

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/transport"
)

// credOf is who connected, by the kernel's word.
func credOf(c net.Conn) (transport.Cred, error) {
	none := transport.Cred{PID: -1, UID: -1, GID: -1}
	s, ok := c.(syscall.Conn)
	if !ok {
		return none, errors.ErrUnsupported
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return none, err
	}
	var cred *unix.Ucred
	if cerr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); cerr != nil || err != nil {
		return none, errors.Join(cerr, err)
	}
	return transport.Cred{PID: int(cred.Pid), UID: int(cred.Uid), GID: int(cred.Gid)}, nil
}
