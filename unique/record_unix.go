//go:build unix

package unique

import (
	"errors"
	"io"
	"io/fs"
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

// A plainFile is a descriptor. A second launch reads one file and waits for nothing else: with an os.File, the runtime
// would set up its poller for it.
type plainFile int

func openPlain(path string) (plainFile, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		switch {
		case err == nil:
			return plainFile(fd), nil
		case !errors.Is(err, unix.EINTR):
			return -1, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

func (f plainFile) about() (fileFacts, error) {
	var st unix.Stat_t
	err := unix.Fstat(int(f), &st)
	return fileFacts{regular: st.Mode&unix.S_IFMT == unix.S_IFREG, owner: int(st.Uid), size: st.Size}, os.NewSyscallError("fstat", err)
}

// Read implements io.Reader.
func (f plainFile) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := unix.Read(int(f), p)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			return 0, io.EOF
		case !errors.Is(err, unix.EINTR):
			return 0, os.NewSyscallError("read", err)
		}
	}
}

// Close implements io.Closer.
func (f plainFile) Close() error { return os.NewSyscallError("close", unix.Close(int(f))) }
