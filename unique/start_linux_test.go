package unique_test

import (
	"golang.org/x/sys/unix"
)

// waitNoReap waits until the child pid has ended and leaves it a zombie.
func waitNoReap(pid int) error {
	return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
}
