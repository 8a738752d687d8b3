//go:build unix && !aix && (!solaris || illumos)

package unique

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxScan bounds the search for descriptors where the system does not list them.
const maxScan = 1024

// An inherited is a descriptor, and the file behind it when it was looked at.
type inherited struct {
	fd       int
	dev, ino uint64
}

// shieldDescriptors marks every descriptor but the standard ones as not to be inherited, and returns what takes the marks
// back. The runtime marks all that it opens; the ones found here were inherited by us or opened by foreign code. Another
// child that is started in between, by another goroutine, does without them, too.
func shieldDescriptors() (restore func()) {
	var marked []inherited
	each := func(fd int) {
		if fd < 3 {
			return
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			return
		}
		dev, ino := fileBehind(fd)
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags|unix.FD_CLOEXEC); err == nil {
			marked = append(marked, inherited{fd, dev, ino})
		}
	}
	if !eachListed(each) {
		for fd := 3; fd < maxScan; fd++ {
			each(fd)
		}
	}
	return func() {
		for _, m := range marked {
			if dev, ino := fileBehind(m.fd); dev != m.dev || ino != m.ino {
				continue // closed meanwhile, and its number is another file's by now
			}
			if flags, err := unix.FcntlInt(uintptr(m.fd), unix.F_GETFD, 0); err == nil {
				_, _ = unix.FcntlInt(uintptr(m.fd), unix.F_SETFD, flags&^unix.FD_CLOEXEC) // closed meanwhile: nothing to restore
			}
		}
	}
}

func fileBehind(fd int) (dev, ino uint64) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0, 0
	}
	return uint64(st.Dev), uint64(st.Ino)
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
