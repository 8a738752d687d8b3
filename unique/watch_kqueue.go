//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package unique

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A watcher tells when files vanish from directories.
type watcher struct {
	events      chan struct{} // gets one when a directory has changed
	kq          int
	wake, waker *os.File // a pipe, nil if the system gives us no queue; closing waker ends run
	dirs        map[string]*os.File
	wait        sync.WaitGroup
}

func newWatcher() *watcher {
	w := &watcher{events: make(chan struct{}, 1), dirs: map[string]*os.File{}}
	wake, waker, err := os.Pipe()
	if err != nil {
		return w
	}
	kq, err := unix.Kqueue()
	if err != nil {
		_ = wake.Close()
		_ = waker.Close()
		return w
	}
	unix.CloseOnExec(kq)
	w.kq, w.wake, w.waker = kq, wake, waker
	var ev unix.Kevent_t
	unix.SetKevent(&ev, int(wake.Fd()), unix.EVFILT_READ, unix.EV_ADD)
	_, _ = unix.Kevent(kq, []unix.Kevent_t{ev}, nil, nil) // without it close waits for the next event
	w.wait.Go(w.run)
	return w
}

func (w *watcher) run() {
	var got [1]unix.Kevent_t
	for {
		n, err := unix.Kevent(w.kq, nil, got[:], nil)
		switch {
		case err == unix.EINTR:
		case err != nil, n == 1 && got[0].Filter == unix.EVFILT_READ:
			return
		case n == 1:
			select {
			case w.events <- struct{}{}:
			default:
			}
		}
	}
}

// add watches dir anew: by its name, it may be another one than before. It must
// not be called after close.
func (w *watcher) add(dir string) {
	if w.wake == nil {
		return
	}
	if old := w.dirs[dir]; old != nil {
		_ = old.Close() // ends its watch
		delete(w.dirs, dir)
	}
	f, err := os.Open(dir)
	if err != nil {
		return // looked after now and then
	}
	w.dirs[dir] = f
	var ev unix.Kevent_t
	unix.SetKevent(&ev, int(f.Fd()), unix.EVFILT_VNODE, unix.EV_ADD|unix.EV_CLEAR)
	ev.Fflags = unix.NOTE_DELETE | unix.NOTE_WRITE | unix.NOTE_RENAME
	_, _ = unix.Kevent(w.kq, []unix.Kevent_t{ev}, nil, nil)
}

func (w *watcher) close() {
	if w.wake == nil {
		return
	}
	_ = w.waker.Close()
	w.wait.Wait()
	for _, f := range w.dirs {
		_ = f.Close()
	}
	_ = w.wake.Close()
	_ = unix.Close(w.kq)
}
