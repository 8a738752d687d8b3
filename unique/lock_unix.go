//go:build unix && !aix && (!solaris || illumos)

package unique

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFlags: never through a symbolic link, so that nobody can make us create or lock a file elsewhere. O_CLOEXEC is
// added by package os: a child that outlives us must not keep our place.
const lockFlags = os.O_CREATE | os.O_RDWR | unix.O_NOFOLLOW

// lockTextAt is where the text for humans starts in a lock file.
const lockTextAt = 0

// lockSupport is nil where the system has the locks that an election needs.
var lockSupport error
