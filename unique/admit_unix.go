//go:build unix

package unique

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// admitSupport is nil where users have numbers.
var admitSupport error

// checkOpen judges a directory that others than its owner may enter, by descriptor, and returns the owner.
func checkOpen(path string) (owner int, err error) {
	fd, err := open(path)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return -1, &fs.PathError{Op: "fstat", Path: path, Err: err}
	}
	if perm := fs.FileMode(st.Mode & 0o777); perm&0o022 != 0 {
		return -1, unsafeDir(path, path, "is writable by %s (mode %#o): only its owner may be", classes(perm&0o022), perm)
	}
	return int(st.Uid), nil
}
