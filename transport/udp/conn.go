package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/internal/mcast"
)

// A conn is an open endpoint.
type conn struct {
	sock     *mcast.Conn
	addr     mcast.Addr
	use      transport.PacketUse
	max      int
	counters *transport.PacketCounters

	in  []mcast.Message // of the reader
	out []mcast.Message // of the writer
}

const (
	readBatch  = 16
	writeBatch = 64
	readBuffer = 64 << 10 // a datagram is never larger
)

func (c *conn) Addr() net.Addr { return netAddr(c.addr.String()) }

func (c *conn) MaxPacket() int { return c.max }

func (c *conn) Close() error {
	if err := c.sock.Close(); err != nil {
		return fmt.Errorf("udp: %w", err)
	}
	return nil
}

// ReadPackets reads what has come. One that only sends waits for Close.
func (c *conn) ReadPackets(ps []transport.Packet) (int, error) {
	if c.in == nil {
		c.in = make([]mcast.Message, readBatch)
		all := make([]byte, readBatch*readBuffer)
		for i := range c.in {
			c.in[i].Buffers = [][]byte{all[i*readBuffer : (i+1)*readBuffer]}
		}
	}
	for {
		n, err := c.sock.ReadBatch(c.in[:min(len(c.in), len(ps))])
		if err != nil {
			return 0, fmt.Errorf("udp: %w", err)
		}
		if !c.use.Recv {
			continue // an answer that nobody asked for
		}
		for i := range n {
			m := &c.in[i]
			ps[i] = transport.Packet{Data: m.Buffers[0][:m.N], Peer: peerOf(m.Addr)}
		}
		if n > 0 {
			return n, nil
		}
	}
}

// WritePackets sends ps. What the system refuses is an error about that packet.
func (c *conn) WritePackets(ps []transport.Packet) (sent int, err error) {
	for sent < len(ps) {
		ms, err := c.messages(ps[sent:])
		if len(ms) > 0 {
			var n int
			n, err = c.sock.WriteBatch(ms)
			sent += max(n, 0)
		}
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				c.counters.Unsent.Add(1)
			}
			return sent, fmt.Errorf("udp: send a packet: %w", err)
		}
	}
	return sent, nil
}

// messages prepares some of ps for the system, up to one that cannot be sent.
func (c *conn) messages(ps []transport.Packet) ([]mcast.Message, error) {
	if c.out == nil {
		c.out = make([]mcast.Message, writeBatch)
		for i := range c.out {
			c.out[i].Buffers = make([][]byte, 1)
		}
	}
	for i := range ps {
		if i == len(c.out) {
			return c.out, nil
		}
		p := &ps[i]
		if len(p.Data) > c.max {
			return c.out[:i], fmt.Errorf("%d bytes, Options.MaxPacket is %d", len(p.Data), c.max)
		}
		m := &c.out[i]
		m.Buffers[0] = p.Data
		to := p.Peer
		if !to.IsValid() {
			to = c.addr.AddrPort()
		}
		if a, ok := m.Addr.(*net.UDPAddr); !ok || a.AddrPort() != to {
			m.Addr = net.UDPAddrFromAddrPort(to)
		}
	}
	return c.out[:len(ps)], nil
}

// peerOf returns a as the same address whatever the family of the socket.
func peerOf(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

type netAddr string

func (netAddr) Network() string  { return "udp" }
func (a netAddr) String() string { return string(a) }
