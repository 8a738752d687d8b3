package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
)

// Windows' own socket errors; package syscall has invented ones of these names.
const (
	wsaEADDRINUSE   = syscall.Errno(10048)
	wsaECONNREFUSED = syscall.Errno(10061)
)

// checkBacklog refuses a length of the queue that was asked for.
func checkBacklog(n int) error {
	if n > 0 {
		return fmt.Errorf("option Backlog: %w on this system", errors.ErrUnsupported)
	}
	return nil
}

// listenSocket binds and listens on addr. The file has the access rights that
// the directory hands down; the length of the queue is the system's.
func listenSocket(addr string, _ int) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Name: addr, Net: "unix"})
}

// probe tells whether a process listens on the socket file at path. There are
// no datagram sockets to ask with, as on Unix: the listener sees a connection
// that ends at once.
func probe(ctx context.Context, path string) (state, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		c.Close()
		return live, nil
	case errors.Is(err, wsaECONNREFUSED):
		return stale, nil
	case errors.Is(err, fs.ErrNotExist):
		return gone, nil
	}
	return unclear, err
}

func addrInUse(err error) bool {
	return errors.Is(err, wsaEADDRINUSE) || errors.Is(err, syscall.EADDRINUSE)
}

func backlogFull(error) bool { return false }
