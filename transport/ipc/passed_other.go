//go:build !unix && !windows

package ipc

import (
	"net"

	"github.com/solomq/solomq/transport"
)

// Passed returns l: there are no Unix sockets on this system.
func Passed(l net.Listener, _ *transport.Options) transport.Listener { return l }

// PassedConn returns c, likewise.
func PassedConn(c net.Conn, _ *transport.Options) (transport.Conn, error) { return c, nil }
