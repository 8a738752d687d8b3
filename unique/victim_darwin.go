package unique

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// A victim is a process that is to be ended. Its start is compared before each
// signal.
type victim struct {
	pid  int
	born string
}

func openVictim(pid int) (*victim, error) {
	born := bornOf(pid)
	if born == "" {
		return nil, fmt.Errorf("pid %d is not known", pid)
	}
	return &victim{pid, born}, nil
}

func (v *victim) close() {}

func (v *victim) ended() bool { return bornOf(v.pid) != v.born }

func (v *victim) end(ctx context.Context) error {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if v.ended() {
			return nil
		}
		if err := unix.Kill(v.pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("pid %d: %w", v.pid, err)
		}
		p := newPause(time.Millisecond, 50*time.Millisecond)
		for deadline := time.Now().Add(afterTerm); time.Now().Before(deadline); {
			if v.ended() {
				return nil
			}
			if p.wait(ctx) != nil {
				return context.Cause(ctx)
			}
		}
	}
	return fmt.Errorf("pid %d does not end", v.pid)
}

// bornOf is when the process was started; "" if that cannot be told.
func bornOf(pid int) string {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(p.Proc.P_pid) != pid {
		return ""
	}
	return fmt.Sprintf("%d.%06d", p.Proc.P_starttime.Sec, p.Proc.P_starttime.Usec)
}
