//go:build unix && !(linux && (amd64 || arm64 || loong64 || ppc64le || riscv64) && !race && !msan && !asan)

package msgcore

import "syscall"

// The race detector learns from these calls that what is read was written before.

func sysRead(fd uintptr, b []byte) (int, error) { return syscall.Read(int(fd), b) }

func sysWrite(fd uintptr, b []byte) (int, error) { return syscall.Write(int(fd), b) }
