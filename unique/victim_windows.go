package unique

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/windows"
)

// A victim is a process that is to be ended, by a handle: never by a number.
type victim struct {
	pid    int
	handle windows.Handle
}

func openVictim(pid int) (*victim, error) {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE|windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return nil, fmt.Errorf("pid %d cannot be held: %w", pid, err)
	}
	return &victim{pid, h}, nil
}

func (v *victim) close() { _ = windows.CloseHandle(v.handle) }

// end ends it, which on Windows it cannot prepare for, and waits.
func (v *victim) end(ctx context.Context) error {
	if err := windows.TerminateProcess(v.handle, 1); err != nil {
		return fmt.Errorf("pid %d: %w", v.pid, err)
	}
	p := newPause(time.Millisecond, 50*time.Millisecond)
	for deadline := time.Now().Add(afterTerm); time.Now().Before(deadline); {
		if event, err := windows.WaitForSingleObject(v.handle, 0); err == nil && event == windows.WAIT_OBJECT_0 {
			return nil
		}
		if p.wait(ctx) != nil {
			return context.Cause(ctx)
		}
	}
	return fmt.Errorf("pid %d does not end", v.pid)
}

// bornOf is when the process was started; "" if that cannot be told.
func bornOf(pid int) string {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return ""
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(h, &created, &exited, &kernel, &user) != nil {
		return ""
	}
	return strconv.FormatInt(created.Nanoseconds(), 10)
}
