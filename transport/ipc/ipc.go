//go:build unix || windows

package ipc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/solomq/solomq/transport"
)

// maxPath is how long a path, or an abstract name with its '@', may be: one of
// the bytes of sun_path is for the zero at its end, or at the name's start.
const maxPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// Transport is the ipc transport. The zero value is ready to use and holds no
// state.
type Transport struct{}

func init() { transport.Register("ipc", Transport{}) }

var _ transport.AddrChecker = Transport{}

// CheckDial judges the form of addr.
func (Transport) CheckDial(addr string, opts *transport.Options) error {
	if err := checkAddr(addr); err != nil {
		return fmt.Errorf("ipc: dial: %w", err)
	}
	if addr == "*" {
		return errors.New("ipc: dial: the wildcard \"*\" can be listened on, not dialed")
	}
	if err := opts.Validate(); err != nil {
		return fmt.Errorf("ipc: dial %s: %w", addr, err)
	}
	return nil
}

// Dial connects to the socket at addr; the package documentation tells its
// forms. It fails at once if nobody listens there. On Linux, while the listener's
// queue of connections not yet accepted is full, it tries again until ctx
// ends; other systems report a full queue as "connection refused". The error of
// Options.Credentials, if it refuses the listener, is in the one returned.
//
// The Conn is a [transport.CredConn] and a [syscall.Conn].
func (Transport) Dial(ctx context.Context, addr string, opts *transport.Options) (transport.Conn, error) {
	if err := (Transport{}).CheckDial(addr, opts); err != nil {
		return nil, err
	}
	uc, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	c := &conn{UnixConn: uc}
	if err := c.setUp(opts); err != nil {
		uc.Close()
		return nil, fmt.Errorf("ipc: dial %s: %w", addr, err)
	}
	return c, nil
}

func dial(ctx context.Context, addr string) (*net.UnixConn, error) {
	const longest = 50 * time.Millisecond
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ipc: dial %s: %w", addr, err)
	}
	for pause := time.Millisecond; ; pause = min(2*pause, longest) {
		// Connecting in this family does not wait, so it needs no context.
		c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: addr, Net: "unix"})
		if err == nil {
			return c, nil
		}
		if !backlogFull(err) {
			return nil, fmt.Errorf("ipc: %w", err)
		}
		if !sleep(ctx, pause) {
			return nil, fmt.Errorf("ipc: dial %s: the peer does not accept, its queue of connections is full: %w", addr, ctx.Err())
		}
	}
}

// Listen announces on addr; the package documentation tells its forms and how a
// socket file that is in the way is dealt with. ctx bounds the wait for the lock of
// the directory.
//
// Accept returns Conns that are [transport.CredConn] and [syscall.Conn]; it
// closes those that Options.Credentials refuses and goes on to the next. The
// function runs on the goroutine of Accept, one call for each connection.
func (Transport) Listen(ctx context.Context, addr string, opts *transport.Options) (transport.Listener, error) {
	if err := checkAddr(addr); err != nil {
		return nil, fmt.Errorf("ipc: listen: %w", err)
	}
	if opts == nil {
		opts = &transport.Options{}
	}
	err := opts.Validate()
	if err == nil {
		err = checkBacklog(opts.Backlog)
	}
	if err != nil {
		return nil, fmt.Errorf("ipc: listen %s: %w", addr, err)
	}
	var l *listener
	switch {
	case addr == "*":
		l, err = listenWildcard(ctx, opts.Backlog)
	case addr[0] == '@':
		l = &listener{}
		l.UnixListener, err = listenSocket(addr, opts.Backlog)
	default:
		l, err = listenPath(ctx, addr, opts.Backlog)
	}
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) && addr[0] == '@' {
			err = fmt.Errorf("a live process listens there: %w", err)
		}
		return nil, fmt.Errorf("ipc: listen %s: %w", addr, err)
	}
	l.opts = *opts
	return l, nil
}

// checkAddr refuses what the system would refuse without a reason that helps, or
// would misunderstand.
func checkAddr(addr string) error {
	switch {
	case addr == "":
		return errors.New("the address is empty")
	case strings.IndexByte(addr, 0) >= 0:
		return fmt.Errorf("address %q has a zero byte", addr)
	case addr == "@":
		return errors.New("the abstract name after \"@\" is empty")
	case addr[0] == '@' && runtime.GOOS != "linux" && runtime.GOOS != "android":
		return fmt.Errorf("abstract name %s: %w on this system; use a path, or ./%s for a file of that name", addr, errors.ErrUnsupported, addr)
	case len(addr) > maxPath:
		return fmt.Errorf("address of %d bytes is over the limit of %d that this system sets for a socket's path: %s", len(addr), maxPath, addr)
	}
	return nil
}

// listenWildcard listens in a fresh directory that only this user can enter.
func listenWildcard(ctx context.Context, backlog int) (*listener, error) {
	dir, err := os.MkdirTemp("", "ipc-")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "s")
	if err = checkAddr(path); err != nil {
		err = fmt.Errorf("in the temporary directory (see TMPDIR): %w", err)
	} else {
		var l *listener
		if l, err = listenPath(ctx, path, backlog); err == nil {
			l.dir = dir
			return l, nil
		}
	}
	os.Remove(dir)
	return nil, err
}

// sleep waits for d and reports whether ctx was still live then.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// A listener is a net.UnixListener that admits peers and cleans up.
type listener struct {
	*net.UnixListener
	opts   transport.Options
	file   *socketFile // nil for an abstract name
	dir    string      // to remove on Close; empty if there is none
	closed atomic.Bool
}

// Accept waits for the next connection that Options.Credentials admits.
func (l *listener) Accept() (net.Conn, error) {
	for {
		uc, err := l.AcceptUnix()
		if err != nil {
			if l.closed.Load() {
				err = net.ErrClosed // Close wakes Accept by a deadline
			}
			return nil, fmt.Errorf("ipc: accept: %w", err)
		}
		c := &conn{UnixConn: uc}
		if c.setUp(&l.opts) == nil {
			return c, nil
		}
		uc.Close()
	}
}

// Close stops listening and removes the socket file, if it is still this
// listener's. Connections that were accepted live on. An error may say that the
// file had to be left behind; the next Listen on it removes it.
func (l *listener) Close() error {
	if !l.closed.CompareAndSwap(false, true) {
		return fmt.Errorf("ipc: close: %w", net.ErrClosed)
	}
	// The socket must stay open until the file is gone: it is what keeps the
	// inode's number from being given to a successor's file. Accept, though, need
	// not wait for that.
	_ = l.SetDeadline(time.Unix(1, 0))
	var err error
	if l.file != nil {
		err = l.file.remove()
	}
	if l.dir != "" {
		err = errors.Join(err, os.Remove(l.dir))
	}
	if err = errors.Join(err, l.UnixListener.Close()); err != nil {
		return fmt.Errorf("ipc: close: %w", err)
	}
	return nil
}
