package unique

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockOwner asks the kernel which process locked the file at path; 0 if it does not say. It is for error texts only: the
// kernel names who took the lock, which is not the one that holds it if the descriptor was passed on.
func lockOwner(path string) int {
	fi, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	f, err := os.Open("/proc/locks")
	if err != nil {
		return 0
	}
	defer f.Close()
	// "1: FLOCK  ADVISORY  WRITE 812 00:1a:4711 0 EOF"
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)), st.Ino)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		field := strings.Fields(lines.Text())
		if len(field) >= 6 && field[1] == "FLOCK" && field[5] == file {
			pid, err := strconv.Atoi(field[4])
			if err != nil || pid < 0 {
				return 0
			}
			return pid
		}
	}
	return 0
}
