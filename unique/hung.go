package unique

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// hung asks what to do about somebody who does not answer, and does it. It
// reports whether to look again; if not, and without an error, i is alone.
func (i *Instance) hung(ctx context.Context, cause error) (again bool, err error) {
	var e *UnresponsiveError
	if i.opts.OnUnresponsive == nil || !errors.As(cause, &e) {
		return false, cause
	}
	switch i.opts.OnUnresponsive(e) {
	case Retry:
		return true, ctx.Err()
	case RunAnyway:
		i.reignAlone()
		return false, nil
	case Terminate:
		i.opts.log("ending a primary that does not answer", "pid", e.Holder.PID)
		path := e.lock
		if path == "" {
			path = i.site.lockPath()
		}
		if err := terminate(ctx, path); err != nil {
			return false, fmt.Errorf("%w, and its process was not ended: %w", cause, err)
		}
		return true, nil
	}
	return false, cause
}

// afterTerm is how long a process has to end by itself.
const afterTerm = 5 * time.Second

// terminate ends the process that holds the lock at path.
func terminate(ctx context.Context, path string) error {
	pid, born := readHolder(path)
	if owner := lockOwner(path); owner != 0 && owner != pid {
		pid, born = owner, "" // of a gate, in which nothing is noted
	}
	if pid == 0 {
		return errors.New("nothing tells which one it is")
	}
	p, err := openVictim(pid)
	if err != nil {
		return err
	}
	defer p.close()
	// The process is held by now, so its number is not another's. It is the right
	// one if the kernel says that it still has the lock, or if it was started when
	// the holder of the lock was.
	switch owner := lockOwner(path); {
	case owner == pid:
	case owner != 0:
		return fmt.Errorf("by now pid %d holds the lock", owner)
	case born == "" || born != bornOf(pid):
		return fmt.Errorf("it is not certain that pid %d still is the one that holds the lock", pid)
	}
	return p.end(ctx)
}
