//go:build race

package msgcore

import "syscall"

func sysEpollWait(set uintptr, events []syscall.EpollEvent) (int, error) {
	return syscall.EpollWait(int(set), events, 0)
}

func sysEpollCtl(set uintptr, op int, fd uintptr, event *syscall.EpollEvent) error {
	return syscall.EpollCtl(int(set), op, int(fd), event)
}
