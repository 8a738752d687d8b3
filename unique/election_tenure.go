package unique

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// A tenure is the time as primary, from the election that was won until release. Its methods may be called from several
// goroutines. It lasts while the process lives even if nobody refers to it any more: see pinned.
type tenure struct {
	site     *site
	noSocket error // why there is no place for sockets, if there is none

	once sync.Once // of release

	mu        sync.Mutex // guards the fields below
	lock      *lockFile
	dir       *os.File // see keepDir
	published *record  // what publish wrote last, nil after withdraw
	yielded   bool     // the lock is a successor's, or nobody's
	released  bool
	keep      func() error // repairs what else others look for, nil if there is nothing
}

// testify makes sure that nobody else is the primary whose directory was wiped. It reports false if somebody is.
func (t *tenure) testify() bool {
	w, holder := newWitness(t.site)
	t.site.mu.Lock()
	t.site.witness = holder
	t.site.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lock.witness = w
	return holder == 0
}

// enter does what the new holder of the lock does first: away with what a predecessor that was killed has left. After one
// that hands over all that is still in use.
func (t *tenure) enter(succeeding bool) error {
	s := t.site
	if !succeeding {
		if err := removeFile(s.recordPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("unique: cannot remove the record of the last primary: %w", err)
		}
		s.sweepRoom()
	}
	if err := t.settle(); err != nil {
		return err
	}
	if s.deep() {
		t.noSocket = s.makeRoom()
	}
	return nil
}

// settle makes the directory one to stay in.
func (t *tenure) settle() error {
	s := t.site
	writeHolder(s.lockPath(), s.id)
	err := insistOn(true, func() error {
		err := makePrivate(s.socketDir())
		if errors.Is(err, fs.ErrNotExist) {
			_ = s.restore() // its own error would be that of the next try
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("unique: cannot make the directory of the sockets: %w", err)
	}
	dir := keepDir(s.dir)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dir != nil {
		_ = t.dir.Close() // it was only locked
	}
	t.dir = dir
	return nil
}

// publish tells the others how to reach this primary, in one step that replaces what was there. It fills in PID, UID,
// Started and ChannelDir where they are zero.
func (t *tenure) publish(r record) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.released {
		return errors.New("unique: cannot publish: the place of the primary was given back")
	}
	if r.PID == 0 {
		r.PID = os.Getpid()
	}
	if r.UID == 0 {
		r.UID = t.site.su.uid
	}
	if r.Started.IsZero() {
		r.Started = time.Now()
	}
	if r.ChannelDir == "" {
		r.ChannelDir = t.site.channelDir()
	}
	if err := t.site.writeRecord(&r); err != nil {
		return err
	}
	t.published = &r
	return nil
}

func (s *site) writeRecord(r *record) error {
	data := r.appendTo(nil)
	if len(data) > maxRecord {
		return fmt.Errorf("unique: the record of the primary has %d bytes, at most %d are read", len(data), maxRecord)
	}
	if err := writeOwnFile(s.recordPath(), s.draftPath(), data); err != nil {
		return fmt.Errorf("unique: cannot publish the record of the primary: %w", err)
	}
	if err := s.share(s.recordPath(), 0o4); err != nil {
		return fmt.Errorf("unique: cannot publish the record of the primary to other users: %w", err)
	}
	return nil
}

// withdraw removes the record if it is still ours, so that nobody new comes. Without a record of ours it does nothing.
func (t *tenure) withdraw() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.withdrawLocked()
}

func (t *tenure) withdrawLocked() error {
	ours := t.published
	t.published = nil
	if ours == nil || t.yielded { // the next holder of the lock removes it, or has replaced it
		return nil
	}
	r, err := t.site.readRecord()
	if errors.Is(err, errNoRecord) || err == nil && r.Generation != ours.Generation {
		return nil // wiped, or a successor's after a wipe: not ours to remove
	}
	if err == nil {
		err = removeFile(t.site.recordPath())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unique: cannot withdraw the record of the primary: %w", err)
	}
	return nil
}

// yield gives back the lock to a successor, and with it everything that keeps others from being the primary. The record
// stays, so that those who come go on finding us.
func (t *tenure) yield() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.yielded = true
	return t.unlockLocked()
}

// unlockLocked gives back what is held.
func (t *tenure) unlockLocked() error {
	if t.dir != nil {
		_ = t.dir.Close() // it was only locked
		t.dir = nil
	}
	return t.lock.unlock()
}

// release withdraws the record, removes the private directory of the sockets if there is one, and gives back the lock.
// The listeners should be closed by then. Only the first call does something; others wait for it.
func (t *tenure) release() error {
	var err error
	t.once.Do(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.released = true
		err = t.withdrawLocked()
		t.site.clearRoom()
		err = errors.Join(err, t.unlockLocked())
	})
	return err
}
