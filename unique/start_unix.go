//go:build unix && !aix && (!solaris || illumos)

package unique

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// rootDir keeps no file system busy.
const rootDir = "/"

type child struct{ pid int }

// detachedAttr is attr, which is not changed, in a session of its own: without a terminal, out of reach of its signals.
func detachedAttr(attr *syscall.SysProcAttr) *syscall.SysProcAttr {
	var a syscall.SysProcAttr
	if attr != nil {
		a = *attr
	}
	a.Setsid = true
	// What else would join it to our terminal contradicts the session, or makes the start fail.
	a.Setpgid, a.Setctty, a.Noctty, a.Foreground = false, false, false, false
	return &a
}

// spawning: the precautions of one spawn must not be taken back by another that took them first.
var spawning sync.Mutex

func spawn(path string, args []string, attr *os.ProcAttr) (*child, error) {
	// Descriptors that we inherited ourselves, from a shell that holds a lock or a pipe, would be inherited once more.
	spawning.Lock()
	defer spawning.Unlock()
	restore := shieldDescriptors()
	defer restore()
	ignore := heedSignals()
	defer ignore()
	p, err := os.StartProcess(path, args, attr)
	if err != nil {
		return nil, err
	}
	c := &child{pid: p.Pid}
	return c, p.Release()
}

// poll reports whether the child has ended, and reaps it.
func (c *child) poll() (ended bool, how string) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(c.pid, &status, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return true, "reaped by another part of this program" // or SIGCHLD is ignored
		case pid != c.pid:
			return false, ""
		case status.Signaled():
			return true, fmt.Sprintf("killed by signal %d (%v)", int(status.Signal()), status.Signal())
		default:
			return true, fmt.Sprintf("exit code %d", status.ExitStatus())
		}
	}
}

func foldEnv(name string) string { return name }

func completeEnv(env []string) []string { return env }
