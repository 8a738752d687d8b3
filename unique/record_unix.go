//go:build unix

package unique

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openRecord neither follows a link nor waits for the writer of a named pipe.
func openRecord(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// foreign reports whether opening failed because the thing at that path is none of ours.
func foreign(err error) bool {
	return errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENXIO)
}

func replaceFile(from, to string) error { return os.Rename(from, to) }

func removeFile(path string) error { return os.Remove(path) }
