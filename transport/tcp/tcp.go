// Package tcp is the transport for endpoints such as "tcp://127.0.0.1:5555".
// Importing it registers the scheme.
//
// An address to listen on is "host:port":
//
//   - host is an IPv4 address, an IPv6 address in brackets ("[::1]:5555",
//     "[fe80::1%eth0]:5555"), the name of a network interface ("lo", "eth0": its
//     first IPv4 address, or else its first IPv6 one), a host name, or "*" for
//     every interface, over IPv4 and, where the system has it, IPv6 ("0.0.0.0" is
//     every interface over IPv4 only). An interface's name wins over a host's.
//   - port is 1 to 65535, or "*" or "0" for one that the system chooses; the
//     listener's Addr tells which. For the host "*" it reads "0.0.0.0:5555",
//     which a program of the same machine can dial.
//
// An address to dial is "host:port" with an address or host name and a number,
// or "source;host:port" to choose where the connection comes from; source is
// written as for listening, but is no host name:
// "127.0.0.1:0;127.0.0.1:5555", "eth1:*;server:5555".
//
// Dialing a host name tries its IPv6 and its IPv4 addresses, one after the other
// but not for long (RFC 8305). Options.IPVersion keeps all of this to one of the
// two: addresses of the other are refused, and "*" of version 6 reads "[::]:5555".
//
// With Options.Proxy a dialed connection goes through a SOCKS5 server, which looks
// host names up; source and the other options are for the connection to it. The
// proxy has until the end of the context, or 30 s if that has none.
//
// Connections have TCP_NODELAY set: messages are batched before they get here. On
// Linux those between loopback addresses do not use the congestion control bbr, if
// that is the system's, but reno: a pace measured for a network makes them slow.
package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/solomq/solomq/transport"
)

// Transport is the tcp transport. The zero value is ready to use and holds no
// state.
type Transport struct{}

func init() { transport.Register("tcp", Transport{}) }

var _ transport.AddrChecker = Transport{}

// CheckDial judges the forms of addr and of the proxy's address.
func (Transport) CheckDial(addr string, opts *transport.Options) error {
	opts = orDefault(opts)
	if err := opts.Validate(); err != nil {
		return fmt.Errorf("tcp: dial %q: %w", addr, err)
	}
	_, target, err := splitDial(addr)
	if err == nil && opts.Proxy.Addr == "" {
		err = checkVersion(target, opts.IPVersion)
	}
	if err != nil {
		return fmt.Errorf("tcp: dial %q: %w", addr, err)
	}
	if opts.Proxy.Addr != "" {
		_, proxy, err := splitDial(opts.Proxy.Addr)
		if err == nil {
			err = checkVersion(proxy, opts.IPVersion)
		}
		if err != nil {
			return fmt.Errorf("tcp: proxy %q: %w", opts.Proxy.Addr, err)
		}
	}
	return nil
}

// Dial connects to addr; see the package documentation for its form. ctx
// bounds looking the host up and connecting; without a deadline of its own the
// system's applies, some minutes. The Conn is a *net.TCPConn.
func (Transport) Dial(ctx context.Context, addr string, opts *transport.Options) (transport.Conn, error) {
	opts = orDefault(opts)
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("tcp: dial %q: %w", addr, err)
	}
	source, target, err := parseDial(addr, opts.IPVersion)
	if err != nil {
		return nil, fmt.Errorf("tcp: dial %q: %w", addr, err)
	}
	if opts.Proxy.Addr == "" {
		return connect(ctx, source, target, opts)
	}
	_, proxy, err := parseDial(opts.Proxy.Addr, opts.IPVersion)
	if err != nil {
		return nil, fmt.Errorf("tcp: proxy %q: %w", opts.Proxy.Addr, err)
	}
	c, err := connect(ctx, source, proxy, opts)
	if err == nil {
		if err = throughProxy(ctx, c, opts.Proxy, target); err == nil {
			return c, nil
		}
		c.Close()
	} else if errors.Is(err, errRefused) { // by the proxy's host: that says nothing of the target
		return nil, fmt.Errorf("tcp: dial %q through the proxy %s: %v", target, proxy, err)
	}
	return nil, fmt.Errorf("tcp: dial %q through the proxy %s: %w", target, proxy, err)
}

// connect connects to target, from source if that is not nil.
func connect(ctx context.Context, source *net.TCPAddr, target string, opts *transport.Options) (net.Conn, error) {
	if err := checkVersion(target, opts.IPVersion); err != nil {
		return nil, fmt.Errorf("tcp: dial %q: %w", target, err)
	}
	d := net.Dialer{
		ControlContext:  control(opts),
		KeepAlive:       keepAlive(opts),
		KeepAliveConfig: opts.KeepAlive,
	}
	if source != nil { // not before: a nil *net.TCPAddr in the interface would not be nil
		d.LocalAddr = source
	}
	c, err := d.DialContext(ctx, network(opts.IPVersion), target)
	if errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		// Package net has made a time-out of the context's deadline.
		return nil, fmt.Errorf("tcp: %w: %w", err, context.DeadlineExceeded)
	}
	if err != nil {
		return nil, fmt.Errorf("tcp: %w", err)
	}
	return c, nil
}

// Listen announces on addr; see the package documentation for its form. ctx
// bounds looking a host name up. On Unix a port whose earlier connections still
// linger can be bound again at once (SO_REUSEADDR), one with a live listener
// cannot. Accept returns *net.TCPConn.
func (Transport) Listen(ctx context.Context, addr string, opts *transport.Options) (transport.Listener, error) {
	opts = orDefault(opts)
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("tcp: listen %q: %w", addr, err)
	}
	at, err := parseListen(ctx, addr, opts.IPVersion)
	if err != nil {
		return nil, fmt.Errorf("tcp: listen %q: %w", addr, err)
	}
	setup := control(opts)
	lc := net.ListenConfig{
		Control: func(network, address string, c syscall.RawConn) error {
			return setup(ctx, network, address, c)
		},
		KeepAlive:       keepAlive(opts),
		KeepAliveConfig: opts.KeepAlive,
	}
	// Go would listen with MPTCP where the kernel has it. No ZeroMQ peer asks
	// for it, and what an accepted connection can be told is less.
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(ctx, at.network, at.hostport)
	if err != nil {
		return nil, fmt.Errorf("tcp: %w", err)
	}
	tl := ln.(*net.TCPListener)
	if opts.Backlog > 0 {
		if err := setBacklog(tl, opts.Backlog); err != nil {
			tl.Close()
			return nil, fmt.Errorf("tcp: listen %q: %w", addr, err)
		}
	}
	bound := *tl.Addr().(*net.TCPAddr)
	if at.any && opts.IPVersion != 6 {
		bound.IP, bound.Zone = net.IPv4zero, ""
	}
	return &listener{TCPListener: tl, addr: &bound, priority: opts.Priority, paced: acceptsPaced(tl)}, nil
}

// A listener is a net.TCPListener that tells its address the way a peer dials
// it.
type listener struct {
	*net.TCPListener
	addr     *net.TCPAddr
	priority int  // Options.Priority, the one option that connections do not inherit
	paced    bool // connections are, though they may come from this machine
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, fmt.Errorf("tcp: %w", err)
	}
	if l.paced {
		unpaceAccepted(c)
	}
	if l.priority > 0 {
		if err := setAcceptedPriority(c, l.priority); err != nil {
			c.Close()
			return nil, fmt.Errorf("tcp: option Priority %d: %w", l.priority, err)
		}
	}
	return c, nil
}

func setAcceptedPriority(c *net.TCPConn, n int) error {
	rc, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var optErr error
	if err := rc.Control(func(fd uintptr) { optErr = setPriority(fd, n) }); err != nil {
		return err
	}
	return optErr
}

// Addr returns the resolved address.
func (l *listener) Addr() net.Addr { return l.addr }

func orDefault(opts *transport.Options) *transport.Options {
	if opts == nil {
		return &transport.Options{}
	}
	return opts
}

// keepAlive returns what package net wants besides KeepAliveConfig, which it
// heeds only when enabled: 0 for its default, negative for no probes.
func keepAlive(opts *transport.Options) time.Duration {
	if opts.KeepAlive != (net.KeepAliveConfig{}) && !opts.KeepAlive.Enable {
		return -1
	}
	return 0
}

// control returns a function that applies opts to a socket before it is bound
// or connected: later would be too late for the buffers, whose size decides
// what window the handshake offers, and for the interface.
func control(opts *transport.Options) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, network, addr string, c syscall.RawConn) error {
		var err error
		if ctlErr := c.Control(func(fd uintptr) {
			err = setOptions(fd, network == "tcp6", opts)
			unpace(fd, addr)
		}); ctlErr != nil {
			return ctlErr
		}
		return err
	}
}

// setOptions applies what opts asks for and names the option that failed.
func setOptions(fd uintptr, v6 bool, opts *transport.Options) error {
	if n := opts.SendBuffer; n > 0 {
		if err := setSendBuffer(fd, n); err != nil {
			return fmt.Errorf("SendBuffer of %d bytes: %w", n, err)
		}
	}
	if n := opts.RecvBuffer; n > 0 {
		if err := setRecvBuffer(fd, n); err != nil {
			return fmt.Errorf("RecvBuffer of %d bytes: %w", n, err)
		}
	}
	if n := opts.TrafficClass; n > 0 {
		if err := setTrafficClass(fd, v6, n); err != nil {
			return fmt.Errorf("TrafficClass %d: %w", n, err)
		}
	}
	if n := opts.Priority; n > 0 { // behind TrafficClass, which sets one, too
		if err := setPriority(fd, n); err != nil {
			return fmt.Errorf("option Priority %d: %w", n, err)
		}
	}
	if d := opts.MaxRetransmit; d > 0 {
		if err := setMaxRetransmit(fd, d); err != nil {
			return fmt.Errorf("MaxRetransmit of %v: %w", d, err)
		}
	}
	if name := opts.Interface; name != "" {
		if err := bindToInterface(fd, v6, name); err != nil {
			return fmt.Errorf("interface %q: %w", name, err)
		}
	}
	return nil
}
