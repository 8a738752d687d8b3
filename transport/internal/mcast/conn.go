// Package mcast opens the sockets of udp and pgm: unicast and multicast, IPv4
// and IPv6, many packets to a system call where the system can.
package mcast

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A Message is one packet of a batch: Buffers holds it, Addr says where it goes
// to or came from, N its length when it was read.
type Message = ipv4.Message

// Config says how a socket is to be.
type Config struct {
	At netip.AddrPort // to bind to; the port 0 is any
	// Protocol, if not 0, is that of IP to use instead of UDP; it needs privileges.
	Protocol int
	Share    bool  // others may bind to the same port: for groups
	Joined   bool  // what is read may be several packets together: see Split
	Join     *Addr // the group to join, if any
	Out      *Addr // if it is a group: its interface is the one to send by

	Hops                   int // of multicast packets; 0 means 1
	Loop                   bool
	TrafficClass           int
	SendBuffer, RecvBuffer int
}

// A Conn is an open socket. One goroutine may read while others write.
type Conn struct {
	packetConn
	raw      bool             // it has no UDP, and what is read has a header of IPv4
	segments bool             // the system sends several packets as one
	v4       *ipv4.PacketConn // one of the two
	v6       *ipv6.PacketConn
}

type packetConn interface {
	net.PacketConn
	syscall.Conn
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error
}

// Open opens a socket.
func Open(ctx context.Context, cfg Config) (*Conn, error) {
	network, version := "udp4", 4
	if cfg.At.Addr().Is6() {
		network, version = "udp6", 6
	}
	if cfg.Protocol > 0 {
		cfg.Share = false // they share by nature
	}
	lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) error {
		if !cfg.Share {
			return nil
		}
		var err error
		if ctlErr := rc.Control(func(fd uintptr) { err = share(fd) }); ctlErr != nil {
			return ctlErr
		}
		return err
	}}
	at := cfg.At.String()
	if cfg.Protocol > 0 && version == 6 && cfg.At.Addr().IsMulticast() {
		// As package net does for UDP: Linux wants a zone for some groups here.
		cfg.At = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	}
	if cfg.Protocol > 0 {
		network, at = fmt.Sprintf("ip%d:%d", version, cfg.Protocol), cfg.At.Addr().String()
	}
	pc, err := lc.ListenPacket(ctx, network, at)
	if err != nil {
		return nil, err
	}
	c := &Conn{packetConn: pc.(packetConn), raw: cfg.Protocol > 0}
	if version == 6 {
		c.v6 = ipv6.NewPacketConn(pc)
	} else {
		c.v4 = ipv4.NewPacketConn(pc)
	}
	if err := c.setUp(cfg); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) setUp(cfg Config) error {
	if !c.raw {
		rc, err := c.SyscallConn()
		if err != nil {
			return err
		}
		c.segments = joinable(rc)
		if cfg.Joined {
			receiveJoined(rc)
		}
	}
	if n := cfg.SendBuffer; n > 0 {
		if err := c.SetWriteBuffer(n); err != nil {
			return fmt.Errorf("SendBuffer of %d bytes: %w", n, err)
		}
	}
	if n := cfg.RecvBuffer; n > 0 {
		if err := c.SetReadBuffer(n); err != nil {
			return fmt.Errorf("RecvBuffer of %d bytes: %w", n, err)
		}
	}
	if n := cfg.TrafficClass; n > 0 {
		if err := c.setTrafficClass(n); err != nil {
			return fmt.Errorf("TrafficClass %d: %w", n, err)
		}
	}
	if a := cfg.Join; a != nil {
		rc, err := c.SyscallConn()
		if err == nil {
			err = onlyJoined(rc, c.v6 != nil)
		}
		if err != nil {
			return fmt.Errorf("hear %s alone: %w", a, err)
		}
		if err := c.join(a); err != nil {
			return fmt.Errorf("join %s: %w", a, err)
		}
	}
	if a := cfg.Out; a != nil && a.Multicast() {
		if err := c.sendBy(a.Interface, max(cfg.Hops, 1), cfg.Loop); err != nil {
			return fmt.Errorf("send to %s: %w", a, err)
		}
	}
	return nil
}

func (c *Conn) setTrafficClass(n int) error {
	if c.v4 != nil {
		return c.v4.SetTOS(n)
	}
	return c.v6.SetTrafficClass(n)
}

func (c *Conn) join(a *Addr) error {
	group := &net.UDPAddr{IP: a.Host.AsSlice()}
	if c.v4 != nil {
		return c.v4.JoinGroup(a.Interface, group)
	}
	return c.v6.JoinGroup(a.Interface, group)
}

func (c *Conn) sendBy(ifi *net.Interface, hops int, loop bool) error {
	if c.v4 != nil {
		if ifi != nil {
			if err := c.v4.SetMulticastInterface(ifi); err != nil {
				return err
			}
		}
		if err := c.v4.SetMulticastTTL(hops); err != nil {
			return err
		}
		return c.v4.SetMulticastLoopback(loop)
	}
	if ifi != nil {
		if err := c.v6.SetMulticastInterface(ifi); err != nil {
			return err
		}
	}
	if err := c.v6.SetMulticastHopLimit(hops); err != nil {
		return err
	}
	return c.v6.SetMulticastLoopback(loop)
}

// ReadBatch waits for a packet, and reads those that have come as well. It
// returns how many.
func (c *Conn) ReadBatch(ms []Message) (int, error) {
	if c.v6 != nil {
		return c.v6.ReadBatch(ms, 0)
	}
	n, err := c.v4.ReadBatch(ms, 0)
	if c.raw {
		for i := range max(n, 0) {
			stripIP(&ms[i])
		}
	}
	return n, err
}

// stripIP takes the IP header off what a raw socket has read.
func stripIP(m *Message) {
	b := m.Buffers[0][:m.N]
	if len(b) < ipv4.HeaderLen || b[0]>>4 != ipv4.Version {
		return
	}
	if hdr := int(b[0]&0x0F) * 4; hdr <= len(b) {
		m.N = copy(b, b[hdr:])
	}
}

// WriteBatch sends ms and returns how many were sent; fewer without an error are
// possible.
func (c *Conn) WriteBatch(ms []Message) (int, error) {
	if c.v4 != nil {
		return c.v4.WriteBatch(ms, 0)
	}
	return c.v6.WriteBatch(ms, 0)
}

// LocalPort returns the port that c is bound to.
func (c *Conn) LocalPort() uint16 {
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}
