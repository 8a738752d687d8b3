//go:build unix

package main

import (
	"syscall"
	"time"
)

// ownCPU is the processor time of this process and of those that it has waited
// for.
func ownCPU() (d time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			d += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return d
}
