package transport

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
)

// A PacketTransport is a Transport whose endpoints carry packets rather than
// streams, without a connection to anybody, so that ZMTP does not run over it. Its
// Dial and Listen fail with an error that wraps errors.ErrUnsupported.
type PacketTransport interface {
	Transport
	// OpenPackets opens addr for what use says. ctx bounds the call alone.
	OpenPackets(ctx context.Context, addr string, opts *Options, use PacketUse) (PacketConn, error)
	// Ordered reports which of two kinds the packets are of. Those of one
	// sender form a sequence that arrives in order, and what is missing from
	// it is told; or each packet stands for itself.
	Ordered() bool
}

// A PacketUse says what an endpoint is opened for.
type PacketUse struct {
	// Bind says that addr is an address of this side, otherwise it is one of
	// the other. For a multicast group, which belongs to nobody, both are the
	// same.
	Bind bool
	// Send and Recv say which way packets go; at least one is set.
	Send, Recv bool
}

// A PacketConn is an open endpoint for packets. One goroutine may read while
// another writes.
type PacketConn interface {
	// ReadPackets waits until there is at least one packet, fills ps with
	// those that there are, and returns how many. Their Data is valid until the
	// next call, and is not to be changed: pgm repairs other packets with it. After
	// Close the error wraps net.ErrClosed. After Finish it is io.EOF, once all is done.
	ReadPackets(ps []Packet) (n int, err error)
	// WritePackets sends ps, waiting for the time that a rate allows, and does
	// not keep their Data. An error is about ps[n] and those behind it were not
	// tried; unless it wraps net.ErrClosed, others can still be sent.
	WritePackets(ps []Packet) (n int, err error)
	// MaxPacket is the largest Data that WritePackets takes, in bytes.
	MaxPacket() int
	// Addr is the resolved address, as OpenPackets takes it.
	Addr() net.Addr
	// Close ends the endpoint at once and wakes whoever reads or writes.
	Close() error
}

// A Finisher is a PacketConn that has something to do after the last packet
// was written: to repair what others have lost of it.
type Finisher interface {
	PacketConn
	// Finish says that nothing is written any more, and returns at once. It
	// reports whether there is something to wait for: ReadPackets returns
	// io.EOF then, when that is over.
	Finish() bool
}

// A Packet is one that was received or is to be sent.
type Packet struct {
	Data []byte
	// Peer is who sent it. When sending it is to whom it goes, where that is not
	// said by the endpoint.
	Peer netip.AddrPort
	// Source names the sequence that it belongs to, if packets are ordered: one
	// number for each sender, another when it starts anew.
	Source uint64
	// Lost is how many packets are missing for good from the sequence, right
	// before this one. Data may then be nil.
	Lost uint64
	// Gone says that Source has ended. Data is nil then.
	Gone bool
}

// PacketCounters count what a packet transport meets. They only rise.
type PacketCounters struct {
	Malformed atomic.Uint64 // packets that were not understood, and passed over
	Unsent    atomic.Uint64 // packets that the system has refused to send
	Lost      atomic.Uint64 // packets that are missing for good from a sequence
	Repaired  atomic.Uint64 // packets that were lost, asked for and got after all
	Repairs   atomic.Uint64 // packets that were sent again for others
	Refused   atomic.Uint64 // packets and new senders for which there was no room
}
