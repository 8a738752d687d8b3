//go:build unix || windows

package ipc

import (
	"net"
	"sync/atomic"

	"github.com/solomq/solomq/transport"
)

// A conn is a net.UnixConn that knows its peer.
type conn struct {
	*net.UnixConn
	cred atomic.Pointer[transport.Cred] // what the system has said, once it was asked
}

var _ transport.CredConn = (*conn)(nil)

// unknown is the Cred of a peer that the system tells nothing about.
var unknown = transport.Cred{PID: -1, UID: -1, GID: -1}

// PeerCred reports who was at the other end when it connected or, as seen from
// the side that dialed, when it listened. The process may have ended since, or
// have passed the connection on.
func (c *conn) PeerCred() (transport.Cred, error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return unknown, err
	}
	cred, credErr := unknown, error(nil)
	err = rc.Control(func(fd uintptr) { // which fails once c is closed
		if kept := c.cred.Load(); kept != nil {
			cred = *kept
		} else if cred, credErr = peerCred(fd); credErr == nil {
			c.cred.Store(&cred) // it does not change
		}
	})
	if err != nil {
		return unknown, err
	}
	return cred, credErr
}

// setUp applies opts to a new connection and asks whether its peer is admitted.
func (c *conn) setUp(opts *transport.Options) error {
	if opts == nil {
		return nil
	}
	if opts.Credentials != nil {
		// Without an answer from the system all are -1: it is the function's
		// to refuse that.
		cred, _ := c.PeerCred()
		if err := opts.Credentials(cred); err != nil {
			return err
		}
	}
	if opts.SendBuffer > 0 {
		if err := c.SetWriteBuffer(opts.SendBuffer); err != nil {
			return err
		}
	}
	if opts.RecvBuffer > 0 {
		return c.SetReadBuffer(opts.RecvBuffer)
	}
	return nil
}
