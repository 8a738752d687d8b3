//go:build unix

package ipc

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"net"
	"os"
	"syscall"

	"github.com/solomq/solomq/transport/internal/backlog"
)

// checkBacklog says why the queue cannot have the length n; 0 is the system's.
func checkBacklog(n int) error {
	if n == 0 {
		return nil
	}
	return backlog.Check(n)
}

// listenSocket binds and listens on addr. It does by hand what package net does,
// because between bind and listen nobody can connect yet: that is where the
// file gets its mode. It also gives the queue the wanted length; 0 means the
// system's maximum.
func listenSocket(addr string, queue int) (*net.UnixListener, error) {
	fd, err := newSocket()
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), addr)
	defer f.Close() // net.FileListener makes its own descriptor
	file := addr[0] != '@'
	if file {
		// Where the system heeds it, the file never has another mode.
		_ = syscall.Fchmod(fd, 0o600)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: addr}); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	if queue <= 0 {
		queue = math.MaxInt32 // every system cuts this to its maximum
	}
	ln, err := finish(f, fd, addr, file, queue)
	if err != nil && file {
		os.Remove(addr)
	}
	return ln, err
}

func finish(f *os.File, fd int, addr string, file bool, queue int) (*net.UnixListener, error) {
	if file {
		if err := os.Chmod(addr, 0o600); err != nil {
			return nil, err
		}
	}
	if err := syscall.Listen(fd, queue); err != nil {
		return nil, os.NewSyscallError("listen", err)
	}
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	return ln.(*net.UnixListener), nil
}

func newSocket() (int, error) {
	// Not every system can create a socket that is closed on exec at once.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	syscall.CloseOnExec(fd)
	return fd, nil
}

// probe tells whether a process has the socket file at path open. It connects a
// datagram socket: the kernel refuses that for the type of a socket that is there,
// listening or not, and for refusal of a file without one; the process
// notices nothing, and its queue may be full.
func probe(ctx context.Context, path string) (state, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unixgram", path)
	switch {
	case err == nil:
		c.Close()
		return live, nil // a datagram socket
	case errors.Is(err, syscall.EPROTOTYPE), backlogFull(err):
		return live, nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return stale, nil
	case errors.Is(err, fs.ErrNotExist):
		return gone, nil
	}
	return unclear, err
}

func addrInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// backlogFull reports whether err is Linux's answer to connecting to a
// listener whose queue is full; others answer ECONNREFUSED.
func backlogFull(err error) bool { return errors.Is(err, syscall.EAGAIN) }
