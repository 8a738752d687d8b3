package inproc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/solomq/solomq/transport"
)

// Transport is the inproc transport. The zero value is ready to use and holds no
// state: names are in a [transport.Space].
type Transport struct{}

func init() { transport.Register("inproc", Transport{}) }

var (
	_ transport.Rendezvous  = Transport{}
	_ transport.AddrChecker = Transport{}
)

// CheckDial judges the form of addr: it must not be empty, nor the wildcard.
func (Transport) CheckDial(addr string, _ *transport.Options) error {
	if err := checkDial(addr); err != nil {
		return fmt.Errorf("inproc: dial %s: %w", addr, err)
	}
	return nil
}

// Dial connects to the listener of addr, waiting for one if there is none.
// Like a kernel's, it does not wait for Accept. ctx bounds the wait. Dialing a name
// that is announced for Meet is an error.
func (Transport) Dial(ctx context.Context, addr string, opts *transport.Options) (transport.Conn, error) {
	c, err := dial(ctx, addr, opts)
	if err != nil {
		return nil, fmt.Errorf("inproc: dial %s: %w", addr, err)
	}
	return c, nil
}

func dial(ctx context.Context, addr string, opts *transport.Options) (net.Conn, error) {
	t := tableOf(opts)
	near, far := newPair(address(addr))
	err := t.find(ctx, addr, func(b *binding) error {
		if b.listener == nil {
			return errors.New("the name is announced for Meet, not for Dial")
		}
		b.listener.enqueue(far)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return near, nil
}

// Listen announces on addr, or on a fresh name for "*". A name that somebody
// else listens on or has announced is an error that is syscall.EADDRINUSE where the
// system has such an error.
func (Transport) Listen(ctx context.Context, addr string, opts *transport.Options) (transport.Listener, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("inproc: listen %s: %w", addr, err)
	}
	t := tableOf(opts)
	l := &listener{table: t}
	l.wake.L = &l.mu
	b := &binding{listener: l}
	name, err := t.claim(addr, b)
	if err != nil {
		return nil, fmt.Errorf("inproc: listen %s: %w", addr, err)
	}
	l.addr, l.own = address(name), b
	return l, nil
}

// Announce claims addr, or a fresh name for "*", until withdraw. accept is called
// on the goroutine of each Meet, several at once if several meet; one that began
// before withdraw may still be running after it. withdraw may be called more than
// once, also by accept.
func (Transport) Announce(addr string, opts *transport.Options, accept func(offer any) error) (bound string, withdraw func(), err error) {
	t := tableOf(opts)
	b := &binding{accept: accept}
	name, err := t.claim(addr, b)
	if err != nil {
		return "", nil, fmt.Errorf("inproc: announce %s: %w", addr, err)
	}
	return name, func() { t.release(name, b) }, nil
}

// Meet waits until addr is announced, calls the announcer's accept with offer
// and returns what that returned, unchanged. ctx bounds the wait, not accept.
// Meeting a name that is listened on for Dial is an error.
func (Transport) Meet(ctx context.Context, addr string, opts *transport.Options, offer any) error {
	var accept func(any) error
	err := tableOf(opts).find(ctx, addr, func(b *binding) error {
		if b.accept == nil {
			return errors.New("the name is listened on for Dial, not announced for Meet")
		}
		accept = b.accept
		return nil
	})
	if err != nil {
		return fmt.Errorf("inproc: meet %s: %w", addr, err)
	}
	return accept(offer)
}

// An address is a name as a net.Addr.
type address string

// Network returns "inproc".
func (address) Network() string { return "inproc" }

// String returns the name.
func (a address) String() string { return string(a) }

// A listener queues the far ends of what was dialed.
type listener struct {
	table *table
	own   *binding
	addr  address

	mu     sync.Mutex
	wake   sync.Cond // with mu; signaled when queue or closed change
	queue  []*conn   // guarded by mu; not accepted yet
	closed bool      // guarded by mu
}

// enqueue is called with the table locked and the listener in it, so never after
// Close has taken it out.
func (l *listener) enqueue(c *conn) {
	l.mu.Lock()
	l.queue = append(l.queue, c)
	l.mu.Unlock()
	l.wake.Signal()
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.wake.Wait()
	}
	if l.closed {
		return nil, fmt.Errorf("inproc: accept %s: %w", l.addr, net.ErrClosed)
	}
	c := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	return c, nil
}

// Close gives the name up and closes the connections that were not accepted.
func (l *listener) Close() error {
	l.table.release(string(l.addr), l.own)
	l.mu.Lock()
	queue, was := l.queue, l.closed
	l.queue, l.closed = nil, true
	l.mu.Unlock()
	l.wake.Broadcast()
	for _, c := range queue {
		c.Close()
	}
	if was {
		return fmt.Errorf("inproc: close %s: %w", l.addr, net.ErrClosed)
	}
	return nil
}

// Addr returns the name.
func (l *listener) Addr() net.Addr { return l.addr }
