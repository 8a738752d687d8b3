package unique

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/gofrs/flock"
)

// errMoved says that the file which was locked is no longer the one its path leads to: the directory was wiped, or the
// file replaced, between opening and locking. Such a lock excludes nobody, so it was given back; try again.
var errMoved = errors.New("unique: the lock file was replaced while it was being locked")

// A lockFile is one lock of the operating system that this process holds. The kernel gives it back when the process
// ends, however it ends; nothing else about it (its age, its text, a pid) ever decides anything. The file itself is
// never removed: a waiter could hold the old file while a newcomer locks a new one, and both would have won.
type lockFile struct {
	path string
	file *flock.Flock
	once sync.Once
	// witness is what a tenure holds beside the lock; nil if there is none.
	witness *witness
}

// pinned keeps every held lock reachable. A lock whose last reference was dropped would be closed by the collector,
// and the kernel would give the place to somebody else without a word.
var pinned struct {
	sync.Mutex
	locks map[*lockFile]struct{}
}

// tryLockFile takes the lock at path if it is free and returns nil, nil if somebody else holds it. It never waits.
// fs.ErrNotExist means that the directory is gone, errMoved that it is worth trying again at once.
func tryLockFile(path string) (*lockFile, error) {
	f := flock.New(path, flock.SetFlag(lockFlags), flock.SetPermissions(0o600))
	ok, err := f.TryLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case errors.Is(err, fs.ErrPermission) && mendMode(path, 0o600):
		return nil, errMoved
	case err != nil:
		return nil, fmt.Errorf("unique: cannot lock %s (a file system without locks, or not writable? choose another with Options.Dir): %w", path, err)
	case !ok:
		return nil, nil
	}
	if err := leadsTo(path, f); err != nil {
		_ = f.Unlock() // closes the file; a lock that nobody can find is worth no error of its own
		return nil, err
	}
	l := &lockFile{path: path, file: f}
	pinned.Lock()
	if pinned.locks == nil {
		pinned.locks = make(map[*lockFile]struct{})
	}
	pinned.locks[l] = struct{}{}
	pinned.Unlock()
	return l, nil
}

// leadsTo returns nil if path still names the very file that f has locked.
func leadsTo(path string, f *flock.Flock) error {
	locked, err := f.Stat()
	if err != nil {
		return fmt.Errorf("unique: cannot examine the lock just taken: %w", err)
	}
	named, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unique: cannot examine the lock just taken: %w", err)
	}
	if err != nil || !os.SameFile(locked, named) {
		return errMoved
	}
	return nil
}

// stands returns nil while the lock is held and can be found by others, and errMoved once its file was removed or
// replaced: from then on another process can win an election.
func (l *lockFile) stands() error {
	return leadsTo(l.path, l.file)
}

// unlock gives the lock back. Only the first call does something.
func (l *lockFile) unlock() error {
	var err error
	l.once.Do(func() {
		l.witness.close() // first: whoever gets the lock finds none
		err = l.file.Unlock()
		pinned.Lock()
		delete(pinned.locks, l)
		pinned.Unlock()
	})
	if err != nil {
		return fmt.Errorf("unique: cannot give back the lock %s: %w", l.path, err)
	}
	return nil
}
