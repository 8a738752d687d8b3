package unique

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"

	"github.com/solomq/solomq/msgcore"
)

// channels are the sockets that Open has bound in a primary. They belong to the
// application, but the names in the directory belong to whoever is the primary.
type channels struct {
	mu     sync.Mutex
	bound  []channelSocket
	closed bool
}

type channelSocket struct {
	sock     *msgcore.Socket
	endpoint string
}

// bind binds sock to endpoint.
func (c *channels) bind(ctx context.Context, sock *msgcore.Socket, endpoint string) error {
	if _, err := sock.Bind(ctx, endpoint); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed // the caller closes the socket
	}
	c.bound = append(c.bound, channelSocket{sock, endpoint})
	return nil
}

// unbind gives the names up for the next primary. Connections stay.
func (c *channels) unbind() (err error) {
	c.mu.Lock()
	bound := c.bound
	c.bound, c.closed = nil, true
	c.mu.Unlock()
	for _, b := range bound {
		if e := b.sock.Unbind(b.endpoint); e != nil && !errors.Is(e, net.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// rebind binds anew what was removed from the directory, and forgets sockets that
// the application has closed.
func (c *channels) rebind(ctx context.Context) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := c.bound[:0]
	for _, b := range c.bound {
		_, path, _ := strings.Cut(b.endpoint, "://")
		if !exists(path) {
			e := b.sock.Unbind(b.endpoint)
			if e == nil {
				_, e = b.sock.Bind(ctx, b.endpoint)
			}
			if errors.Is(e, net.ErrClosed) {
				continue
			}
			err = errors.Join(err, e)
		}
		open = append(open, b)
	}
	clear(c.bound[len(open):])
	c.bound = open
	return err
}
