//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package unique

import (
	"os"
	"syscall"
)

// keepDir locks the directory of a primary, shared with other primaries, until
// the file is closed. This is what systemd-tmpfiles looks for before it removes
// what was not touched for days. It returns nil if that is not to be had.
func keepDir(dir string) *os.File {
	f, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil {
		_ = f.Close()
		return nil
	}
	return f
}
