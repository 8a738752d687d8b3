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
	lock     *lockFile
	noSocket error // why there is no place for sockets, if there is none

	once sync.Once // of release

	mu        sync.Mutex
	keep      func() error  // guarded by mu: repairs what else others look for, nil if there is nothing
	published *record       // guarded by mu: what publish wrote last, nil after withdraw
	released  bool          // guarded by mu
	stop      chan struct{} // guarded by mu: set while tendAlways runs, which its closing ends
	tending   sync.WaitGroup
}

// enter does what the new holder of the lock does first: away with what a predecessor that was killed has left.
func (t *tenure) enter() error {
	s := t.site
	if err := removeFile(s.recordPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unique: cannot remove the record of the last primary: %w", err)
	}
	s.sweepRoom()
	writeHolder(s.lockPath(), s.id)
	if s.deep() {
		t.noSocket = s.makeRoom()
	}
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
	if t.stop == nil {
		t.stop = make(chan struct{})
		stop := t.stop
		tick := time.NewTicker(tendInterval)
		t.tending.Go(func() { t.tendAlways(tick, stop) })
	}
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
	if ours == nil {
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

// errUprooted: the directory was wiped while we were the primary. The lock that we hold is one that nobody finds any
// more, and another process can become the primary beside us.
var errUprooted = errors.New("unique: the lock file of the primary was removed; another process may be the primary by now")

// tendInterval is how often a primary looks after its record. Until then after a cleaning, those who come are told that
// the primary does not answer. It is changed by tests only.
var tendInterval = 10 * time.Second

func (t *tenure) tendAlways(tick *time.Ticker, stop <-chan struct{}) {
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			_ = t.tend() // there is nobody to tell; the next time may succeed
		}
	}
}

// tend repairs what programs that clean up temporary directories break: they remove files that are in use but were not
// touched for days. It publishes the record again if it vanished. If the lock file did, that is errUprooted.
func (t *tenure) tend() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.released {
		return nil
	}
	switch err := t.lock.stands(); {
	case errors.Is(err, errMoved):
		return errUprooted
	case err != nil:
		return err
	}
	if t.published == nil {
		return nil
	}
	var kept error
	if t.keep != nil {
		kept = t.keep()
	}
	r, err := t.site.readRecord()
	if err == nil && r.Generation == t.published.Generation {
		return kept
	}
	return errors.Join(kept, t.site.writeRecord(t.published))
}

// release withdraws the record, removes the private directory of the sockets if there is one, and gives back the lock.
// The listeners should be closed by then. Only the first call does something; others wait for it.
func (t *tenure) release() error {
	var err error
	t.once.Do(func() {
		t.mu.Lock()
		t.released = true
		err = t.withdrawLocked()
		if t.stop != nil {
			close(t.stop)
		}
		t.mu.Unlock()
		t.tending.Wait()
		t.site.clearRoom()
		err = errors.Join(err, t.lock.unlock())
	})
	return err
}
