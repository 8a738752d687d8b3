// Package udp is the transport for endpoints such as "udp://10.0.0.1:5555" and
// "udp://eth0;239.1.1.1:5555". Importing it registers the scheme:
//
//	import _ "github.com/solomq/solomq/transport/udp"
//
// Over it sockets of RADIO, DISH and DGRAM exchange datagrams, which may be lost,
// doubled or out of order. There are no connections, and nobody waits for
// anybody.
//
// An address is "host:port", or for multicast "group:port" or
// "interface;group:port":
//
//   - host is an IPv4 address, an IPv6 address in brackets, the name of an
//     interface of this machine, a host name, or, to bind to, "*" for every
//     IPv4 address of this machine ("[::]" for every IPv6 one).
//   - group is a multicast address: 224.0.0.0 to 239.255.255.255, or [ff00::]/8.
//   - interface is the name or an address of the one to send and to join the
//     group by ("eth0", "10.0.0.1"); Options.Interface if there is none, or
//     else the system's choice.
//   - port is 1 to 65535; to bind to, "*" or "0" is one that the system chooses.
//
// A host is bound to in order to receive, and connected to in order to send. A
// group can be either, and any number of sockets of a host can share it.
package udp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/internal/mcast"
)

// Transport is the udp transport. The zero value is ready to use and holds no
// state.
type Transport struct{}

func init() { transport.Register("udp", Transport{}) }

var _ transport.PacketTransport = Transport{}

const (
	defaultMax = 8192  // what libzmq receives
	limit      = 65507 // of a datagram over IPv4
)

var errNoStream = fmt.Errorf("udp: there are no connections over udp, only packets: %w", errors.ErrUnsupported)

// Dial fails: there are no connections.
func (Transport) Dial(context.Context, string, *transport.Options) (transport.Conn, error) {
	return nil, errNoStream
}

// Listen fails: there are no connections.
func (Transport) Listen(context.Context, string, *transport.Options) (transport.Listener, error) {
	return nil, errNoStream
}

// Ordered reports false: each datagram stands for itself.
func (Transport) Ordered() bool { return false }

// OpenPackets opens addr; see the package documentation for its form.
func (Transport) OpenPackets(ctx context.Context, addr string, opts *transport.Options, use transport.PacketUse) (transport.PacketConn, error) {
	if opts == nil {
		opts = &transport.Options{}
	}
	c, err := open(ctx, addr, opts, use)
	if err != nil {
		return nil, fmt.Errorf("udp: open %q: %w", addr, err)
	}
	return c, nil
}

func open(ctx context.Context, addr string, opts *transport.Options, use transport.PacketUse) (*conn, error) {
	if err := check(opts); err != nil {
		return nil, err
	}
	a, err := mcast.Parse(ctx, addr, opts.Interface)
	if err != nil {
		return nil, err
	}
	if err := suits(&a, use); err != nil {
		return nil, err
	}
	cfg := mcast.Config{
		Out: &a, Hops: opts.MulticastTTL, Loop: !opts.MulticastNoLoop, TrafficClass: opts.TrafficClass,
		SendBuffer: opts.SendBuffer, RecvBuffer: opts.RecvBuffer,
	}
	switch {
	case a.Multicast() && use.Recv:
		cfg.At, cfg.Share, cfg.Join = mcast.BindTo(a.AddrPort()), true, &a
	case use.Bind && !a.Multicast():
		cfg.At = a.AddrPort()
	case a.Host.Is4():
		cfg.At = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	default:
		cfg.At = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	}
	if !use.Recv && a.Local.IsValid() {
		cfg.At = netip.AddrPortFrom(a.Local, 0)
	}
	sock, err := mcast.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if use.Bind && a.Port == 0 {
		a.Port = sock.LocalPort()
	}
	c := &conn{sock: sock, addr: a, use: use, max: defaultMax, counters: opts.Packets}
	if opts.MaxPacket > 0 {
		c.max = opts.MaxPacket
	}
	if c.counters == nil {
		c.counters = &transport.PacketCounters{}
	}
	return c, nil
}

func check(opts *transport.Options) error {
	switch {
	case opts.SendBuffer < 0 || opts.RecvBuffer < 0:
		return errors.New("the size of a buffer must not be negative")
	case opts.TrafficClass < 0 || opts.TrafficClass > 255:
		return fmt.Errorf("TrafficClass is %d, want 0 to 255", opts.TrafficClass)
	case opts.MulticastTTL < 0 || opts.MulticastTTL > 255:
		return fmt.Errorf("MulticastTTL is %d, want 0 to 255", opts.MulticastTTL)
	case opts.MaxPacket < 0 || opts.MaxPacket > limit:
		return fmt.Errorf("MaxPacket is %d, want 0 to %d", opts.MaxPacket, limit)
	}
	return nil
}

// suits checks that a can be used so.
func suits(a *mcast.Addr, use transport.PacketUse) error {
	switch {
	case a.Multicast() || use.Bind && use.Recv:
		if a.Multicast() && a.Port == 0 {
			return errors.New("a group needs the number of a port, which all its members know")
		}
		return nil
	case use.Bind:
		return errors.New("a sender connects; it binds to a multicast group only")
	case use.Recv:
		return errors.New("a receiver binds; it connects to a multicast group only")
	case a.Host.IsUnspecified() || a.Port == 0:
		return errors.New("a wildcard can be bound to, not connected to")
	}
	return nil
}
