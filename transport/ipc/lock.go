//go:build unix || windows

package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// A dirLock keeps others from binding, or removing a socket, in a directory.
type dirLock struct {
	held   *locker // nil if the directory cannot be locked
	failed error   // then why
}

// lockDir waits for the lock of path's directory. Its error says that there is
// no such directory, or that ctx ended first.
func lockDir(ctx context.Context, path string) (*dirLock, error) {
	const longest = 20 * time.Millisecond
	l, err := openLock(path)
	if errors.Is(err, fs.ErrPermission) {
		return &dirLock{failed: err}, nil
	}
	if err != nil {
		return nil, err
	}
	for pause := 100 * time.Microsecond; ; pause = min(2*pause, longest) {
		ok, err := l.try()
		if err != nil {
			l.close()
			return &dirLock{failed: err}, nil
		}
		if ok {
			return &dirLock{held: l}, nil
		}
		// A lock call that blocks would hold a thread, and could not be given up.
		if !sleep(ctx, pause) {
			l.close()
			return nil, fmt.Errorf("another process holds the lock of its directory: %w", ctx.Err())
		}
	}
}

func (l *dirLock) unlock() {
	if l.held != nil {
		l.held.close()
	}
}
