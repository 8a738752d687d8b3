package unique

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A timerfd is a clock of the system. One of the runtime has a thread wait for it.
type timerfd struct {
	fd   int
	file *os.File // the same, which the runtime waits for
}

// newClock returns nil if the system has none left.
func newClock(start func(func()), ring func()) clock {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		debugf("no clock: %v", err)
		return nil
	}
	t := &timerfd{fd, os.NewFile(uintptr(fd), "clock")}
	start(func() {
		for {
			var expired [8]byte
			if _, err := t.file.Read(expired[:]); err != nil {
				return
			}
			ring()
		}
	})
	return t
}

func (t *timerfd) set(d time.Duration) {
	_ = unix.TimerfdSettime(t.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil) // cannot fail for a time and a clock that are valid
}

func (t *timerfd) close() { _ = t.file.Close() } // the descriptor goes in any case
