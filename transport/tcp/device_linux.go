package tcp

import (
	"os"
	"syscall"
)

func bindToInterface(fd uintptr, _ bool, name string) error {
	return os.NewSyscallError("setsockopt", syscall.BindToDevice(int(fd), name))
}
