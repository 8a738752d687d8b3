package pgm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/solomq/solomq/transport/internal/mcast"
)

// A socket is what an endpoint sends and receives by. One goroutine may read while
// others write.
type socket interface {
	// ReadBatch fills ms, whose first buffers hold PGM packets then.
	ReadBatch(ms []mcast.Message) (int, error)
	WriteBatch(ms []mcast.Message) (int, error)
	// Together is how many packets of n bytes can be sent as one message, which
	// Join prepares. Split is the size of those in one that was read.
	Together(n int) int
	Join(m *mcast.Message)
	Split(m *mcast.Message) int
	SetReadDeadline(time.Time) error
	Close() error
}

// openGroup opens a socket that hears the group.
func openGroup(ctx context.Context, c *config) (socket, error) {
	cfg := mcast.Config{
		At: mcast.BindTo(c.addr.AddrPort()), Share: true, Join: &c.addr, Joined: true,
		RecvBuffer: c.opts.RecvBuffer, SendBuffer: c.opts.SendBuffer, Protocol: c.protocol(),
	}
	if cfg.RecvBuffer == 0 {
		cfg.RecvBuffer = recvBuffer
	}
	return open(ctx, cfg)
}

// protocolPGM is PGM's number in IP.
const protocolPGM = 113

func (c *config) protocol() int {
	if c.raw {
		return protocolPGM
	}
	return 0
}

func open(ctx context.Context, cfg mcast.Config) (socket, error) {
	s, err := mcast.Open(ctx, cfg)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("pgm itself needs CAP_NET_RAW, epgm does not: %w", err)
	}
	if err != nil {
		return nil, err // not s: a nil *Conn in the interface would not be nil
	}
	return s, nil
}

// openOwn opens a socket of this host's own address, to send to the group and,
// with a port, to hear what is sent to it there.
func openOwn(ctx context.Context, c *config, port uint16) (socket, error) {
	return open(ctx, mcast.Config{
		At: netip.AddrPortFrom(c.nla, port), Share: port != 0, Out: &c.addr,
		Hops: c.opts.MulticastTTL, Loop: !c.opts.MulticastNoLoop, TrafficClass: c.opts.TrafficClass,
		SendBuffer: c.opts.SendBuffer, RecvBuffer: c.opts.RecvBuffer, Protocol: c.protocol(),
	})
}

// target is where packets to addr go.
func (c *config) target(addr netip.Addr) net.Addr {
	if c.raw {
		return &net.IPAddr{IP: addr.AsSlice()}
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, c.addr.Port))
}

// sourceOf is where a packet came from.
func sourceOf(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	case *net.IPAddr:
		ip, _ := netip.AddrFromSlice(a.IP)
		return netip.AddrPortFrom(ip.Unmap(), 0)
	}
	return netip.AddrPort{}
}

// An outbox collects control packets while a machine is locked, to be sent when it
// is not.
type outbox struct {
	ms   []mcast.Message
	n    int
	last net.Addr // target of addr
	addr netip.Addr
}

func (o *outbox) add(c *config, b []byte, to netip.Addr) {
	if o.n == len(o.ms) {
		o.ms = append(o.ms, mcast.Message{Buffers: make([][]byte, 1)})
	}
	if o.addr != to {
		o.addr, o.last = to, c.target(to)
	}
	m := &o.ms[o.n]
	m.Buffers[0] = append(m.Buffers[0][:0], b...)
	m.Addr = o.last
	o.n++
}

// flush sends what was collected. Each packet that the system refuses is passed
// over: what matters is asked for again.
func (o *outbox) flush(c *config, s socket) {
	writeAll(c, s, o.ms[:o.n])
	o.n = 0
}

// writeAll sends ms and passes over what the system refuses; it returns an error
// if the socket is closed.
func writeAll(c *config, s socket, ms []mcast.Message) error {
	for len(ms) > 0 {
		n, err := s.WriteBatch(ms)
		n = max(n, 0)
		if err != nil {
			if n < len(ms) && len(ms[n].Buffers) > 1 { // perhaps because they are one
				err = writeApart(c, s, &ms[n])
			} else {
				c.counters.Unsent.Add(1)
			}
			if isClosed(err) {
				return err
			}
			n++
		}
		ms = ms[min(n, len(ms)):]
	}
	return nil
}

// writeApart sends the packets of m one by one.
func writeApart(c *config, s socket, m *mcast.Message) error {
	ms := make([]mcast.Message, len(m.Buffers))
	for i := range ms {
		ms[i] = mcast.Message{Buffers: m.Buffers[i : i+1], Addr: m.Addr}
	}
	return writeAll(c, s, ms)
}

// newMessages returns n messages to read into.
func newMessages(n, size int) []mcast.Message {
	ms := make([]mcast.Message, n)
	all := make([]byte, n*size)
	for i := range ms {
		ms[i].Buffers = [][]byte{all[i*size : (i+1)*size]}
		ms[i].OOB = make([]byte, mcast.ControlSize)
	}
	return ms
}
