//go:build !unix && !windows

package ipc

import (
	"context"
	"errors"
	"fmt"

	"github.com/solomq/solomq/transport"
)

// Transport is the ipc transport. On this system it has nothing to work with:
// its methods return an error that wraps errors.ErrUnsupported.
type Transport struct{}

func init() { transport.Register("ipc", Transport{}) }

var _ transport.AddrChecker = Transport{}

// CheckDial returns the error of Dial.
func (Transport) CheckDial(addr string, _ *transport.Options) error {
	return fmt.Errorf("ipc: dial %s: %w on this system; use tcp on 127.0.0.1", addr, errors.ErrUnsupported)
}

// Dial returns an error.
func (t Transport) Dial(_ context.Context, addr string, opts *transport.Options) (transport.Conn, error) {
	return nil, t.CheckDial(addr, opts)
}

// Listen returns an error.
func (Transport) Listen(_ context.Context, addr string, _ *transport.Options) (transport.Listener, error) {
	return nil, fmt.Errorf("ipc: listen %s: %w on this system; use tcp on 127.0.0.1", addr, errors.ErrUnsupported)
}
