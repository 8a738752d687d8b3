package unique

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A detached is a process that was started to outlive us, watched until it is forgotten.
type detached struct {
	pid  int
	died <-chan error  // gets the reason, once, if it ends while it is watched; then it is closed
	stop chan struct{} // closed by forget
	done chan struct{} // closed when the watch has ended
	once sync.Once
}

// detach starts cmd, which is only read, as a process of its own: new session, streams on the null device, no other
// descriptors, in the root directory and with our environment unless cmd says otherwise. It does not wait until the
// process is ready. Should it end while it is watched, died gets the reason, and it is reaped. The watch takes a goroutine
// until then or until forget.
func detach(cmd *exec.Cmd) (*detached, error) {
	if cmd.Err != nil {
		return nil, fmt.Errorf("unique: cannot start the primary: %w", cmd.Err)
	}
	// The working directory changes before the program is looked up.
	path, err := filepath.Abs(cmd.Path)
	if err != nil {
		return nil, fmt.Errorf("unique: cannot start the primary: %w", err)
	}
	dir := cmd.Dir
	if dir == "" {
		dir = rootDir
	}
	env := cmd.Env
	if env == nil {
		env = os.Environ()
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("unique: cannot start the primary: %w", err)
	}
	defer null.Close()
	args := cmd.Args
	if len(args) == 0 {
		args = []string{cmd.Path}
	}
	reapForgotten()
	c, err := spawn(path, args, &os.ProcAttr{
		Dir:   dir,
		Env:   childEnv(env),
		Files: []*os.File{null, null, null},
		Sys:   detachedAttr(cmd.SysProcAttr),
	})
	if err != nil {
		return nil, fmt.Errorf("unique: cannot start the primary: %w", err)
	}
	died := make(chan error, 1)
	d := &detached{pid: c.pid, died: died, stop: make(chan struct{}), done: make(chan struct{})}
	go d.watch(c, died)
	return d, nil
}

// watch looks after the child until it ends or is forgotten. It polls, so that it can be ended: nothing that waits for a
// process can be interrupted on every system.
func (d *detached) watch(c *child, died chan<- error) {
	defer close(d.done)
	defer close(died)
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	for wait := time.Millisecond; ; wait = min(wait+wait/2, 50*time.Millisecond) {
		ended, how := c.poll()
		if ended {
			died <- fmt.Errorf("unique: the started process (pid %d) has ended: %s", c.pid, how)
			return
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-d.stop:
			forgotten.Lock()
			forgotten.children = append(forgotten.children, c)
			forgotten.Unlock()
			return
		}
	}
}

// forget ends the watch. The process itself goes on; died is closed without a reason if it still ran.
func (d *detached) forget() {
	d.once.Do(func() { close(d.stop) })
	<-d.done
}

// forgotten are children that nobody watches. They are reaped when the next one is started, so that a program that runs
// for long and starts a primary now and then collects one zombie at most.
var forgotten struct {
	sync.Mutex
	children []*child
}

func reapForgotten() {
	forgotten.Lock()
	defer forgotten.Unlock()
	alive := forgotten.children[:0]
	for _, c := range forgotten.children {
		if ended, _ := c.poll(); !ended {
			alive = append(alive, c)
		}
	}
	clear(forgotten.children[len(alive):])
	forgotten.children = alive
}

// childEnv is env without what is meant for one process only: tokens of a single launch, descriptors and notifications
// of a service manager. A later variable of a name replaces an earlier one.
func childEnv(env []string) []string {
	out := make([]string, 0, len(env))
	at := make(map[string]int, len(env))
	for _, kv := range env {
		name, _, ok := strings.Cut(kv, "=")
		switch name {
		case "XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID",
			"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
			"PWD", "OLDPWD":
			continue
		}
		key := foldEnv(name)
		if i, dup := at[key]; dup && ok {
			out[i] = kv
			continue
		}
		at[key] = len(out)
		out = append(out, kv)
	}
	return completeEnv(out)
}
