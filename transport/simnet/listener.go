package simnet

import (
	"fmt"
	"net"
	"sync"
)

// A listener queues the far ends of what was dialed. All of it is guarded by
// Network.mu.
type listener struct {
	n       *Network
	at      place
	addr    address
	changed sync.Cond // with Network.mu
	queue   []*conn   // not accepted yet
	closed  bool
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.changed.Wait()
	}
	if l.closed {
		return nil, fmt.Errorf("simnet: accept %s: %w", l.addr, net.ErrClosed)
	}
	c := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	return c, nil
}

// Close gives the address up and closes the connections that were not accepted.
func (l *listener) Close() error {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	if l.closed {
		return fmt.Errorf("simnet: close %s: %w", l.addr, net.ErrClosed)
	}
	l.closed = true
	delete(l.n.listeners, l.at)
	for _, c := range l.queue {
		_ = c.close()
	}
	l.queue = nil
	l.changed.Broadcast()
	return nil
}

// Addr returns the resolved address.
func (l *listener) Addr() net.Addr { return l.addr }
