//go:build aix || (solaris && !illumos) || windows

package ipc

import "github.com/gofrs/flock"

// A locker is a lock file, for systems that cannot lock a directory. The file
// stays: removing it would let two processes lock two files of one name.
type locker struct {
	f *flock.Flock
}

func openLock(path string) (*locker, error) {
	return &locker{flock.New(path + ".lock")}, nil
}

func (l *locker) try() (bool, error) { return l.f.TryLock() }

func (l *locker) close() { _ = l.f.Close() }
