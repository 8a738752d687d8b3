//go:build (amd64 || arm64 || loong64 || ppc64le || riscv64) && !race && !msan && !asan

package msgcore

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reads and writes of sockets that do not wait take a microsecond, yet the runtime
// sees a system call: if its monitor sleeps, because a moment ago there was nothing to
// do, the call wakes it, a thread that on one processor pushes ours aside. In a round
// trip that is once for each side, for nothing. So these calls are made without
// telling the runtime.
//
// The monitor is there to take the processor from whoever computes for long, and it
// must not sleep through that. It sleeps no longer than until the next timer: while
// calls are made in this way, there is one within beat, and the call that sets it is
// an ordinary one.

const (
	beat      = 10 * time.Millisecond // how long the monitor may sleep; as long as it looks away when it is awake
	halfBeat  = beat / 2
	mostShort = 64 << 10 // bytes; moving more than that is not short
)

// pulse is the timer.
var pulse struct {
	until atomic.Int64 // when it fires, in time since began
	began time.Time

	mu    sync.Mutex
	clock *os.File // whose deadline is the timer; nil: it cannot be had
	tried bool
}

func init() { pulse.began = time.Now() }

// isShort reports whether a call that moves at most n bytes may be made without
// telling the runtime.
func isShort(n int) bool {
	if n > mostShort {
		return false
	}
	now := time.Since(pulse.began)
	if now < 0 {
		return false // not the time by which timers go, as in testing/synctest
	}
	return int64(now) < pulse.until.Load()-int64(halfBeat) || setPulse(now)
}

// setPulse sets the timer anew. It returns false, for the next call is to be an
// ordinary one.
func setPulse(now time.Duration) bool {
	if !pulse.mu.TryLock() {
		return false // somebody does
	}
	defer pulse.mu.Unlock()
	if !pulse.tried {
		pulse.tried = true
		if fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
			pulse.clock = os.NewFile(uintptr(fd), "clock")
		}
	}
	if pulse.clock != nil && pulse.clock.SetReadDeadline(time.Now().Add(beat)) == nil {
		pulse.until.Store(int64(now + beat))
	}
	return false
}

// sysRead reads what is there. Others that have the descriptor, too, may have put it in
// blocking mode: the calls say for themselves that they do not wait.
func sysRead(fd uintptr, b []byte) (int, error) {
	if isShort(len(b)) {
		n, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_DONTWAIT, 0, 0)
		switch e {
		case 0:
			return int(n), nil
		case syscall.ENOTSOCK: // a connection of another kind
		default:
			return 0, e
		}
	}
	return syscall.Read(int(fd), b)
}

func sysWrite(fd uintptr, b []byte) (int, error) {
	if isShort(len(b)) {
		n, _, e := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch e {
		case 0:
			return int(n), nil
		case syscall.ENOTSOCK: // as above
		default:
			return 0, e
		}
	}
	return syscall.Write(int(fd), b)
}

// sysEpollWait asks without waiting.
func sysEpollWait(set uintptr, events []syscall.EpollEvent) (int, error) {
	if !isShort(0) {
		return syscall.EpollWait(int(set), events, 0)
	}
	n, _, e := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, set, uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

func sysEpollCtl(set uintptr, op int, fd uintptr, event *syscall.EpollEvent) error {
	if !isShort(0) {
		return syscall.EpollCtl(int(set), op, int(fd), event)
	}
	_, _, e := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, set, uintptr(op), fd, uintptr(unsafe.Pointer(event)), 0, 0)
	if e != 0 {
		return e
	}
	return nil
}
