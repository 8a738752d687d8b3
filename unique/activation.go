package unique

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// Activated returns the socket that a service manager holds for this process
// (sd_listen_fds(3) of systemd), for Options.Listener, and nil if there is none.
// The unit of the socket listens at the Location.Socket that Where tells, with
// DirectoryMode=0700, and the service has ModeService: it is started by the
// first launch that has ModeLauncher.
//
// What the manager said is taken out of the environment, so that children do not
// think it was for them.
func Activated() (net.Listener, error) {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	if n, err := strconv.Atoi(pid); err != nil || n != os.Getpid() {
		return nil, nil
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name) // the names are valid
	}
	if n, err := strconv.Atoi(count); err != nil || n != 1 {
		return nil, fmt.Errorf("unique: the service manager holds %q sockets for this process, want one", count)
	}
	const first = 3 // of the descriptors that are passed
	f := os.NewFile(first, "control socket")
	defer f.Close()
	l, err := net.FileListener(f) // of a copy that children do not inherit
	if err != nil {
		return nil, fmt.Errorf("unique: what the service manager holds for this process is no socket that listens: %w", err)
	}
	return l, nil
}

// listenPassed opens the control endpoint at the socket of Options.Listener.
func (i *Instance) listenPassed() (port, record, error) {
	l := i.opts.Listener
	return servePassed(l, i.opts.MaxRequest, i.site.trust()), record{Endpoint: ipcPrefix + l.Addr().String()}, nil
}

// knock asks at the place of the socket although no primary has published: a
// service manager may listen there, and start one.
func (i *Instance) knock(ctx context.Context) (*link, error) {
	path := i.site.socketPath("")
	if !exists(path) {
		return nil, ErrNoPrimary
	}
	h := Holder{UID: -1, Endpoint: "ipc://" + path}
	start := time.Now()
	l, err := greetAt(ctx, h, nil, nil, i.site.trust(), i.opts, nil, start.Add(i.opts.Timeouts.Start))
	switch {
	case isNobody(err):
		return nil, ErrNoPrimary
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case isTimeout(err):
		return nil, &UnresponsiveError{Holder: h, Step: "hello", After: time.Since(start)}
	}
	return l, err
}
