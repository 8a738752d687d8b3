package unique

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Waiting for a lock that is held for microseconds: short at first, but never so short that many waiters on few
// processors keep the holder from running.
const (
	lockPauseFirst = 200 * time.Microsecond
	lockPauseMost  = 10 * time.Millisecond
)

// A lockWaitError says that the context ended while a lock that is only ever held for moments was held by somebody else.
// If that one is stopped, this is how it shows.
type lockWaitError struct {
	Path string
	PID  int // of the holder, 0 if unknown
	Err  error
}

// Error implements error.
func (e *lockWaitError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("unique: gave up waiting for the lock %s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("unique: gave up waiting for the lock %s, held by pid %d: %v", e.Path, e.PID, e.Err)
}

// Unwrap returns e.Err.
func (e *lockWaitError) Unwrap() error { return e.Err }

// waitLock takes the lock at path, waiting for it until ctx ends. A directory that vanished is made again.
func (s *site) waitLock(ctx context.Context, path string) (*lockFile, error) {
	p := newPause(lockPauseFirst, lockPauseMost)
	err := ctx.Err()
	for err == nil {
		l, lerr := s.tryLock(path)
		if l != nil || lerr != nil {
			return l, lerr
		}
		err = p.wait(ctx)
	}
	return nil, &lockWaitError{Path: path, PID: lockOwner(path), Err: err}
}

// lockTries bounds how often a lock file may vanish in the microseconds in which it is being locked. More than a few
// times means a file system on which a file does not look like itself when asked twice.
const lockTries = 100

// tryLock is tryLockFile that sees to it that the lock is one others can find.
func (s *site) tryLock(path string) (*lockFile, error) {
	for range lockTries {
		l, err := tryLockFile(path)
		switch {
		case errors.Is(err, errMoved):
		case errors.Is(err, fs.ErrNotExist):
			if err := s.restore(); err != nil {
				return nil, err
			}
		default:
			return l, err
		}
	}
	return nil, fmt.Errorf("unique: %s is another file each time it is looked at; choose another file system with Options.Dir", path)
}

// elect stands for primary once: it passes the gate, tries the lock, and lets the gate go. It returns nil, nil if
// somebody else is the primary. It waits only for the gate, and only until ctx ends (lockWaitError).
//
// Because everybody passes the gate, a successor that was asked to take over can hold it until the old primary has left,
// and nobody slips in between.
func (s *site) elect(ctx context.Context) (won *tenure, err error) {
	gate, err := s.waitLock(ctx, s.gatePath())
	if err != nil {
		return nil, err
	}
	lock, err := s.tryLock(s.lockPath())
	if gerr := gate.unlock(); err == nil && gerr != nil {
		if lock != nil {
			_ = lock.unlock() // the error to report is the gate's
		}
		return nil, gerr
	}
	if lock == nil || err != nil {
		return nil, err
	}
	t := &tenure{site: s, lock: lock}
	if !t.testify() {
		return nil, lock.unlock()
	}
	if err := t.enter(false); err != nil {
		_ = t.release() // the error to report is why we cannot be the primary
		return nil, err
	}
	return t, nil
}

// tryStart makes the caller the only launcher that may start a primary, until unlock, which may be called more than once.
// unlock is nil if another launcher is. A launcher never takes the lock of the election.
func (s *site) tryStart() (unlock func(), err error) {
	l, err := s.tryLock(s.startPath())
	if l == nil || err != nil {
		return nil, err
	}
	return func() { _ = l.unlock() }, nil // closing the file, which cannot fail to happen, gives it back in any case
}
