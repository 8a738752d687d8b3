//go:build !(amd64 || arm64 || loong64 || ppc64le || riscv64) || race || msan || asan

package msgcore

import "syscall"

func sysEpollWait(set uintptr, events []syscall.EpollEvent) (int, error) {
	return syscall.EpollWait(int(set), events, 0)
}

func sysEpollCtl(set uintptr, op int, fd uintptr, event *syscall.EpollEvent) error {
	return syscall.EpollCtl(int(set), op, int(fd), event)
}
