package unique

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

// rootDir is the system's own drive, which cannot be unplugged.
var rootDir = func() string {
	if drive := os.Getenv("SystemDrive"); drive != "" {
		return drive + `\`
	}
	return `C:\`
}()

type child struct {
	pid    int
	handle windows.Handle
}

// detachedAttr is attr, which is not changed, without a console and out of reach of our console's Ctrl-C. Handles are
// inherited by an explicit list: the null device and nothing else.
func detachedAttr(attr *syscall.SysProcAttr) *syscall.SysProcAttr {
	var a syscall.SysProcAttr
	if attr != nil {
		a = *attr
	}
	a.CreationFlags |= windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP
	a.CreationFlags &^= windows.CREATE_NEW_CONSOLE
	return &a
}

func spawn(path string, args []string, attr *os.ProcAttr) (*child, error) {
	p, err := os.StartProcess(path, args, attr)
	if err != nil {
		return nil, err
	}
	defer p.Release()
	// p still has the process open, so its id cannot have been given to another one.
	h, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(p.Pid))
	if err != nil {
		return nil, fmt.Errorf("pid %d was started but cannot be watched: %w", p.Pid, err)
	}
	return &child{pid: p.Pid, handle: h}, nil
}

// poll reports whether the child has ended, and closes its handle then.
func (c *child) poll() (ended bool, how string) {
	event, err := windows.WaitForSingleObject(c.handle, 0)
	if err == nil && event == uint32(windows.WAIT_TIMEOUT) {
		return false, ""
	}
	var code uint32
	how = "exit code unknown"
	if err == nil && windows.GetExitCodeProcess(c.handle, &code) == nil {
		how = fmt.Sprintf("exit code %d", code)
	}
	_ = windows.CloseHandle(c.handle) // it was only watched
	return true, how
}

// foldEnv: names of variables are the same in any case.
func foldEnv(name string) string { return strings.ToUpper(name) }

// completeEnv adds what programs on Windows cannot start without.
func completeEnv(env []string) []string {
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); strings.EqualFold(name, "SYSTEMROOT") {
			return env
		}
	}
	return append(env, "SYSTEMROOT="+os.Getenv("SYSTEMROOT"))
}
