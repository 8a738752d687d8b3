package unique

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Programs that clean up temporary directories remove files that are in use but
// were not touched for days. A primary that can no longer be found because of
// that makes itself found again.

// tendInterval is how often a primary looks after its files where the system does
// not tell that one was removed. It is changed by tests only.
var tendInterval = 10 * time.Second

// watch makes the watcher of a primary. It is changed by tests only: with nil, a
// primary does not look after its files.
var watch = newWatcher

// mendTime bounds how long it takes to be the holder of the lock file again.
const mendTime = 10 * time.Second

// tend keeps the primary where it can be found, until it leaves or has lost its
// place.
func (i *Instance) tend() {
	w := watch()
	if w == nil {
		<-i.life.Done()
		return
	}
	defer w.close()
	tick := time.NewTicker(tendInterval)
	defer tick.Stop()
	for {
		// What vanishes before it is watched is seen by looking, and what is put
		// back has to be watched anew.
		w.add(i.site.dir)
		w.add(i.site.channelDir())
		mended, err := i.mend(i.life)
		var lost *UprootedError
		switch {
		case errors.As(err, &lost):
			i.opts.log("the place is lost", "lock", lost.Path)
			i.srv.uproot(err)
			return
		case err != nil:
			i.opts.log("cannot be found, and that cannot be mended yet", "err", err)
		case mended:
			i.opts.log("was removed from the directory, and can be found again")
			continue
		}
		select {
		case <-i.life.Done():
			return
		case <-w.events:
		case <-tick.C:
		}
	}
}

// mend looks whether everything is where others look for it, and puts back what
// is not. It reports whether something was missing.
func (i *Instance) mend(ctx context.Context) (mended bool, err error) {
	t := i.tenure
	if t.uprooted() {
		ctx, cancel := context.WithTimeout(ctx, mendTime)
		defer cancel()
		if err := t.replant(ctx); err != nil {
			return true, err
		}
		mended = true
	}
	if path, ok := strings.CutPrefix(i.srv.endpoint, ipcPrefix); ok && !exists(path) {
		if p, ok := i.srv.port.(*localPort); ok && p.mayRebind() { // else it is the service manager's
			mended = true
			if err := errors.Join(t.settle(), p.rebind(ctx, i.srv.endpoint)); err != nil {
				return true, err
			}
		}
	}
	if err := i.channels.rebind(ctx); err != nil {
		return true, err
	}
	written, err := t.republish()
	if mended = mended || written; mended {
		i.srv.mu.Lock()
		i.srv.stats.Republished++
		i.srv.mu.Unlock()
	}
	return mended, err
}

// exists reports whether there is something at path, or that this cannot be told.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// uprooted reports whether the lock that we hold is one that nobody finds any
// more: another process can become the primary beside us.
func (t *tenure) uprooted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.released && !t.yielded && errors.Is(t.lock.stands(), errMoved)
}

// replant takes the lock file that others find, in a directory that was made anew
// if need be. If another process holds it, and not only until it meets our
// witness, that is an UprootedError.
func (t *tenure) replant(ctx context.Context) error {
	s := t.site
	p := newPause(lockPauseFirst, lockPauseMost)
	for {
		if err := s.restore(); err != nil {
			return err
		}
		gate, err := s.waitLock(ctx, s.gatePath())
		if err != nil {
			return err
		}
		lock, err := s.tryLock(s.lockPath())
		if gerr := gate.unlock(); err == nil && gerr != nil {
			err = gerr
		}
		if lock != nil {
			t.mu.Lock()
			old := t.lock
			lock.witness, old.witness = old.witness, nil
			t.lock = lock
			t.mu.Unlock()
			return errors.Join(err, old.unlock(), t.settle())
		}
		if err != nil {
			return err
		}
		if t.superseded() || p.wait(ctx) != nil {
			return &UprootedError{Path: s.lockPath()}
		}
	}
}

// superseded reports whether whoever holds the lock file is the primary by now.
func (t *tenure) superseded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lock.witness == nil {
		return true
	}
	r, err := t.site.readRecord()
	return err == nil && t.published != nil && r.Generation != t.published.Generation
}

// republish writes the record again if it vanished or was changed, and reports
// whether it had to.
func (t *tenure) republish() (written bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.published == nil || t.released || t.yielded || t.lock.stands() != nil {
		return false, nil
	}
	if t.keep != nil {
		err = t.keep()
	}
	r, rerr := t.site.readRecord()
	if rerr == nil && r.Generation == t.published.Generation {
		return false, err
	}
	return true, errors.Join(err, t.site.writeRecord(t.published))
}
