package unique

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A victim is a process that is to be ended, by a descriptor: never by a number.
type victim struct {
	pid, fd int
}

func openVictim(pid int) (*victim, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("pid %d cannot be held: %w", pid, err)
	}
	return &victim{pid, fd}, nil
}

func (v *victim) close() { _ = unix.Close(v.fd) }

// end ends it and waits until it has ended.
func (v *victim) end(ctx context.Context) error {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.PidfdSendSignal(v.fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("pid %d: %w", v.pid, err)
		}
		if ended, err := v.wait(ctx, afterTerm); ended || err != nil {
			return err
		}
	}
	return fmt.Errorf("pid %d does not end", v.pid)
}

func (v *victim) wait(ctx context.Context, most time.Duration) (ended bool, err error) {
	for deadline := time.Now().Add(most); time.Now().Before(deadline); {
		fds := []unix.PollFd{{Fd: int32(v.fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 20)
		switch {
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case err != nil && !errors.Is(err, unix.EINTR):
			return false, os.NewSyscallError("poll", err)
		case n > 0:
			return true, nil
		}
	}
	return false, nil
}

// bornOf is when the process was started, in the kernel's count since the system
// was; "" if that cannot be told.
func bornOf(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The name in parentheses may hold anything; the 20th field after it counts.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return ""
	}
	return string(fields[19])
}
