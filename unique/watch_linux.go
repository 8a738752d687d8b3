package unique

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// A watcher tells when files vanish from directories.
type watcher struct {
	events chan struct{} // gets one when something has vanished
	fd     int
	f      *os.File // nil if the system gives us none
	wait   sync.WaitGroup
}

// newWatcher returns a watcher that may be a blind one: users have a limit of
// them.
func newWatcher() *watcher {
	w := &watcher{events: make(chan struct{}, 1)}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return w
	}
	w.fd, w.f = fd, os.NewFile(uintptr(fd), "inotify")
	w.wait.Go(w.run)
	return w
}

func (w *watcher) run() {
	buf := make([]byte, 4096)
	for {
		if _, err := w.f.Read(buf); err != nil {
			return
		}
		select {
		case w.events <- struct{}{}:
		default:
		}
	}
}

// add watches dir, which may be watched already. It must not be called after
// close.
func (w *watcher) add(dir string) {
	if w.f != nil {
		// What cannot be watched is looked after now and then.
		_, _ = unix.InotifyAddWatch(w.fd, dir, unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_ONLYDIR)
	}
}

func (w *watcher) close() {
	if w.f != nil {
		_ = w.f.Close() // it was only read
		w.wait.Wait()
	}
}
