//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package ipc

import (
	"os"
	"path/filepath"
	"syscall"
)

// A locker is a directory, open to be locked.
type locker struct {
	f *os.File
}

func openLock(path string) (*locker, error) {
	f, err := os.OpenFile(filepath.Dir(path), os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &locker{f}, nil
}

// try takes the lock if it is free. The lock belongs to the open file, so it
// holds between goroutines as well as between processes.
func (l *locker) try() (bool, error) {
	switch err := syscall.Flock(int(l.f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
	case nil:
		return true, nil
	case syscall.EWOULDBLOCK, syscall.EINTR:
		return false, nil
	default:
		return false, &os.PathError{Op: "flock", Path: l.f.Name(), Err: err}
	}
}

func (l *locker) close() {
	// Unlock before closing: a process just being forked may have the file open
	// too, and would keep the lock until it executes its program.
	_ = syscall.Flock(int(l.f.Fd()), syscall.LOCK_UN)
	l.f.Close()
}
