package simnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/solomq/solomq/transport"
)

// A Transport is how one scheme is on one host; see [Host.Lookup]. The zero value
// is on none.
type Transport struct {
	host   *Host
	scheme string
}

var _ transport.AddrChecker = Transport{}

var errNoHost = errors.New("a Transport without a host: get one by Host.Lookup")

// Dial connects to addr. It takes a round trip over the link, and waits while
// that is cut; ctx bounds it. Where nobody listens the error is
// syscall.ECONNREFUSED, on systems that have it.
func (t Transport) Dial(ctx context.Context, addr string, _ *transport.Options) (transport.Conn, error) {
	c, err := t.dial(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("simnet: dial %s://%s: %w", t.scheme, addr, err)
	}
	return c, nil
}

// CheckDial judges the form of addr; whether there is such a host is for Dial to
// say.
func (t Transport) CheckDial(addr string, _ *transport.Options) error {
	if _, err := t.target(addr); err != nil {
		return fmt.Errorf("simnet: dial %s://%s: %w", t.scheme, addr, err)
	}
	return nil
}

// target is the place that addr names, to dial.
func (t Transport) target(addr string) (place, error) {
	at, err := t.place(addr)
	if err == nil && at.port == "*" {
		err = errors.New("a wildcard can be listened on, not dialed")
	}
	return at, err
}

func (t Transport) dial(ctx context.Context, addr string) (net.Conn, error) {
	at, err := t.target(addr)
	if err != nil {
		return nil, err
	}
	n := t.host.n
	n.mu.Lock()
	server := n.hosts[at.host]
	if server == nil {
		n.mu.Unlock()
		return nil, &net.DNSError{Err: "no such host", Name: at.host, IsNotFound: true}
	}
	l := n.link(t.host, server)
	out, back := l.from(t.host)
	n.mu.Unlock()

	if err := n.travel(ctx, out); err != nil {
		return nil, err
	}
	n.mu.Lock()
	var c *conn
	if ln := n.listeners[at]; ln != nil {
		var far *conn
		near := address{t.scheme, net.JoinHostPort(t.host.name, n.freePort(t.scheme, t.host.name))}
		c, far = newPair(l, t.host, near, ln.addr)
		ln.queue = append(ln.queue, far)
		ln.changed.Broadcast()
	}
	n.mu.Unlock()
	if err := n.travel(ctx, back); err != nil {
		if c != nil {
			c.Close()
		}
		return nil, err
	}
	if c == nil {
		return nil, errRefused
	}
	return c, nil
}

// Listen announces on addr, or on a free port of it for "*" and "0". An address
// of another host is an error, and so is one that somebody listens on, which is
// syscall.EADDRINUSE on systems that have it.
func (t Transport) Listen(ctx context.Context, addr string, _ *transport.Options) (transport.Listener, error) {
	l, err := t.listen(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("simnet: listen %s://%s: %w", t.scheme, addr, err)
	}
	return l, nil
}

func (t Transport) listen(ctx context.Context, addr string) (net.Listener, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	at, err := t.place(addr)
	switch {
	case err != nil:
		return nil, err
	case at.host != t.host.name:
		return nil, fmt.Errorf("this is host %q", t.host.name)
	}
	n := t.host.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if at.port == "*" {
		at.port = n.freePort(at.scheme, at.host)
	}
	if n.listeners[at] != nil {
		return nil, errInUse
	}
	text := at.port
	if !local(t.scheme) {
		text = net.JoinHostPort(at.host, at.port)
	}
	l := &listener{n: n, at: at, addr: address{t.scheme, text}}
	l.changed.L = &n.mu
	n.listeners[at] = l
	return l, nil
}

// local reports whether addresses of a scheme are names on one host.
func local(scheme string) bool { return scheme == "ipc" || scheme == "pipe" }

// place finds out what addr means on t's host.
func (t Transport) place(addr string) (place, error) {
	switch {
	case t.host == nil:
		return place{}, errNoHost
	case addr == "":
		return place{}, errors.New("the address is empty")
	case local(t.scheme):
		return place{t.scheme, t.host.name, addr}, nil
	}
	if _, after, ok := strings.Cut(addr, ";"); ok {
		addr = after // where a connection comes from is not simulated
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return place{}, err
	}
	switch ip := net.ParseIP(host); {
	case host == "*", host == "localhost", ip != nil && (ip.IsLoopback() || ip.IsUnspecified()):
		host = t.host.name
	}
	if port == "0" || port == "*" {
		return place{t.scheme, host, "*"}, nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return place{}, fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	return place{t.scheme, host, port}, nil
}
