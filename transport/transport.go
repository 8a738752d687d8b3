package transport

import (
	"context"
	"net"
	"sync"
	"time"
)

// A Transport dials and listens for one endpoint scheme. Its methods may be
// called from several goroutines at once.
type Transport interface {
	// Dial connects to addr, the part of the endpoint after "://".
	Dial(ctx context.Context, addr string, opts *Options) (Conn, error)
	// Listen announces on addr, resolving wildcards.
	Listen(ctx context.Context, addr string, opts *Options) (Listener, error)
}

// A Conn is a connected, ordered byte stream; ZMTP runs on top of it.
type Conn = net.Conn

// An AddrChecker is a Transport that can judge an address by its form, so that
// connecting to nonsense is an error at once, and not of each dial in the background.
type AddrChecker interface {
	Transport
	// CheckDial returns the error that Dial would return for the form of addr, or
	// because opts rule it out. It neither waits nor asks the network or the system: nil
	// does not say that Dial will succeed.
	CheckDial(addr string, opts *Options) error
}

// A Listener accepts Conns; the text of its Addr is the resolved address, which a
// Transport of the same scheme can Dial.
type Listener = net.Listener

// A CredConn is a Conn that knows which process is at the other end.
type CredConn interface {
	Conn
	// PeerCred reports the credentials that the kernel recorded for the peer.
	PeerCred() (Cred, error)
}

// Cred identifies a peer process on this host. An id that the system does not
// tell is -1.
type Cred struct {
	PID, UID, GID int
}

// A DeliveryConn is a Conn that knows how much of what was written to it the other
// end has read, as one of a simulated network does: an operating system does not
// tell. With it a socket knows of each message what became of it when a connection
// breaks. It may be asked at any time, by several goroutines at once, also after
// Close.
type DeliveryConn interface {
	Conn
	// Delivery reports how many bytes were written since the beginning, and how
	// many of them the other end has read. final says that it will read no more.
	Delivery() (written, read int64, final bool)
}

// A Rendezvous is a Transport whose two ends are in one process, so that they
// can be joined without a byte stream between them. What is offered is opaque
// to the transport.
type Rendezvous interface {
	Transport
	// Announce claims addr and returns it with wildcards resolved. Each Meet
	// on addr calls accept, on the goroutine of Meet, several at once if several
	// meet. withdraw gives addr up; more calls of it do nothing. It does not
	// wait for a Meet under way: accept may still run, or be called, after it.
	Announce(addr string, opts *Options, accept func(offer any) error) (bound string, withdraw func(), err error)
	// Meet waits until somebody has announced addr, hands offer to it and
	// returns what its accept returned, unchanged. ctx bounds the wait.
	Meet(ctx context.Context, addr string, opts *Options, offer any) error
}

// Options tunes a Transport. Nil and the zero value mean defaults, and a
// Transport ignores a field it has no use for.
type Options struct {
	// KeepAlive configures TCP keep-alive probes; the zero value is Go's
	// default: enabled, first probe after 15 s, then every 15 s, 9 times. To
	// send none, set a field but not Enable: {Idle: -1}.
	KeepAlive net.KeepAliveConfig
	// SendBuffer and RecvBuffer size the kernel's buffers in bytes; 0 keeps
	// the system's.
	SendBuffer, RecvBuffer int
	// TrafficClass sets the IP TOS or IPv6 traffic class byte; 0 keeps the
	// system's.
	TrafficClass int
	// Priority is the queueing priority of what is sent on this machine
	// (SO_PRIORITY of Linux): 1 to 6, or more with CAP_NET_ADMIN; 0 keeps the
	// one that follows from TrafficClass. Only tcp on Linux has it, and tcp
	// elsewhere fails with errors.ErrUnsupported.
	Priority int
	// MaxRetransmit is how long bytes that were sent may stay unacknowledged
	// before the connection is given up (TCP_USER_TIMEOUT of Linux), in whole
	// milliseconds; 0 keeps the system's, about 15 minutes. With keep-alive
	// probes it also bounds how long these go unanswered. Only tcp on Linux has
	// it, and tcp elsewhere fails with errors.ErrUnsupported.
	MaxRetransmit time.Duration
	// Interface names the network interface to bind to (SO_BINDTODEVICE on
	// Linux); empty means any.
	Interface string
	// IPVersion restricts tcp to IPv4 or IPv6, if 4 or 6: which addresses of a name
	// or an interface it takes, and what "*" listens on. 0 takes both. It is about
	// the connection to Proxy, if there is one. The other transports go by their
	// address.
	IPVersion int
	// Proxy, if it has an Addr, is a SOCKS5 server by which tcp dials. Host names
	// are looked up there. Other transports, and Listen, do not use it.
	Proxy Proxy
	// Backlog is the length of the accept queue; 0 means the system's
	// maximum. More than Linux allows (net.core.somaxconn) is an error, and so
	// is any where it cannot be chosen, which is not on Unix. ipc and tcp only.
	Backlog int
	// MulticastTTL is the hop limit of multicast packets; 0 means 1, which
	// stays in the local network.
	MulticastTTL int
	// MulticastNoLoop keeps multicast packets from receivers on the host that
	// sends them.
	MulticastNoLoop bool
	// MulticastRate limits a pgm sender in kilobits per second, IP headers
	// included; 0 means 100. Repairs count, and go first.
	MulticastRate int
	// MulticastRecovery is how long a pgm sender keeps what it has sent, to send
	// it again when somebody has lost it; 0 means 10 s. Together with the rate
	// it makes the window; see package pgm for its bounds.
	MulticastRecovery time.Duration
	// MulticastMemory bounds what a pgm receiver holds of all senders together
	// until it is read, in bytes; 0 means 256 MiB, and the least is 8 MiB. One
	// sender alone gets a quarter of it at least, and loses nothing as long as that
	// is as much as it keeps itself.
	MulticastMemory int
	// MulticastParity, if not 0, has a pgm sender offer parity: a repair packet is
	// computed of so many packets, and stands in for whichever of them each receiver
	// has lost. It is a power of two from 2 to 128, such as 16. It pays where many
	// receivers lose different packets; it costs them a copy of so many packets, and
	// both ends to compute. Receivers that do not know parity ask for packets
	// themselves, but libzmq's fail where it is offered. Receivers need no option for it.
	MulticastParity int
	// MaxPacket is the largest packet that is sent, in bytes. For udp it is
	// what a datagram carries: 0 means 8192, which is what libzmq takes, at
	// most 65507. For pgm and epgm it is the whole IP packet: 0 means 1500.
	MaxPacket int
	// Packets, if not nil, counts what packet transports meet.
	Packets *PacketCounters
	// Credentials, if not nil, admits only peers for which it returns nil: an
	// accepted connection is closed before it is handed out, a dialed one fails
	// with the error. Only ipc calls it.
	Credentials func(Cred) error
	// Space is the name space of inproc addresses; nil means the one of the
	// process.
	Space *Space
}

// A Space is a name space of in-process addresses, for programs that want
// several that do not see each other. The zero value is empty and ready; a
// Space must not be copied.
type Space struct {
	// Names belongs to the Transport that the space is used with.
	Names sync.Map
}
