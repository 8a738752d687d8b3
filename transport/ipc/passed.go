//go:build unix || windows

package ipc

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/solomq/solomq/transport"
)

// Passed makes of a listener that was made elsewhere, by a service manager for
// example, one that admits peers by opts.Credentials and tells their credentials,
// as one of Listen does. It does not remove the socket file, unless l does. A
// listener that is not of Unix sockets is returned as it is.
func Passed(l net.Listener, opts *transport.Options) transport.Listener {
	if !ofUnix(l.Addr()) {
		return l
	}
	p := &passedListener{Listener: l}
	if opts != nil {
		p.opts = *opts
	}
	return p
}

// PassedConn is the like for one connection. The error may be that of
// opts.Credentials; c is still open then.
func PassedConn(c net.Conn, opts *transport.Options) (transport.Conn, error) {
	if !ofUnix(c.LocalAddr()) {
		return c, nil
	}
	var p *conn
	switch c := c.(type) {
	case *conn:
		p = c
	case *net.UnixConn:
		p = &conn{UnixConn: c}
	default:
		if opts == nil || opts.Credentials == nil {
			return c, nil
		}
		return nil, fmt.Errorf("ipc: Options.Credentials cannot ask about a %T: %w", c, errors.ErrUnsupported)
	}
	if err := p.setUp(opts); err != nil {
		return nil, fmt.Errorf("ipc: %w", err)
	}
	return p, nil
}

// ofUnix reports whether a is one of Unix sockets, of whatever kind.
func ofUnix(a net.Addr) bool { return a != nil && strings.HasPrefix(a.Network(), "unix") }

// A passedListener admits peers.
type passedListener struct {
	net.Listener
	opts transport.Options
}

// Accept waits for the next connection that Options.Credentials admits.
func (l *passedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, fmt.Errorf("ipc: accept: %w", err)
		}
		p, err := PassedConn(c, &l.opts)
		if err == nil {
			return p, nil
		}
		c.Close()
		if errors.Is(err, errors.ErrUnsupported) {
			return nil, err // it would be so for all
		}
	}
}
