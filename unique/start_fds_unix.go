//go:build unix && !aix && (!solaris || illumos)

package unique

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxScan bounds the search for descriptors where the system does not list them.
const maxScan = 1024

// shieldDescriptors marks every descriptor but the standard ones as not to be inherited, and returns what takes the marks
// back. The runtime marks all that it opens; the ones found here were inherited by us or opened by foreign code. Another
// child that is started in between, by another goroutine, does without them, too.
func shieldDescriptors() (restore func()) {
	var marked []int
	each := func(fd int) {
		if fd < 3 {
			return
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			return
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags|unix.FD_CLOEXEC); err == nil {
			marked = append(marked, fd)
		}
	}
	if !eachListed(each) {
		for fd := 3; fd < maxScan; fd++ {
			each(fd)
		}
	}
	return func() {
		for _, fd := range marked {
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
				_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags&^unix.FD_CLOEXEC) // closed meanwhile: nothing to restore
			}
		}
	}
}

// eachListed calls each for the open descriptors and reports whether the system lists them.
func eachListed(each func(fd int)) bool {
	dir, err := os.Open(fdDir)
	if err != nil {
		return false
	}
	names, err := dir.Readdirnames(-1)
	_ = dir.Close() // it was only read
	if err != nil {
		return false
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil {
			each(fd)
		}
	}
	return true
}
