// Package pgm is the transport for reliable multicast: the endpoints
// "epgm://eth0;239.192.1.1:5555" (PGM in UDP, for which nobody needs privileges)
// and "pgm://eth0;239.192.1.1:5555" (PGM itself, IP protocol 113, which needs
// CAP_NET_RAW). Importing it registers the schemes:
//
//	import _ "github.com/solomq/solomq/transport/pgm"
//
// PUB and XPUB sockets send to a group, SUB and XSUB sockets receive from any
// number of senders to it; binding and connecting are the same. It talks to
// libzmq in both directions.
//
// An address is "interface;group:port": the name or an address of the interface
// ("eth0", "10.0.0.1"), an IPv4 multicast group or an IPv6 one in brackets, and
// the port that its members have in common. Without "interface;" it is
// Options.Interface, or else the system's choice.
//
// # What is reliable about it
//
// A sender keeps what it has sent for Options.MulticastRecovery at
// Options.MulticastRate, at least 256 packets and at most 64 MiB. A receiver that
// misses a packet asks for it (NAK), and it is sent again to the group, once for
// all that miss it; receivers that do not miss it are not held up. What nobody has
// any more is lost: the stream goes on with the next message, and the number of
// packets is told. A receiver that comes late begins with the next message.
//
// What a receiver holds of all senders together is bounded by
// Options.MulticastMemory, and so is their number, by 256. Senders that have
// delivered some packets in order keep their place, new ones compete for 64 places
// and an eighth of the memory: a flood of forged ones does not displace the real
// ones. What there is no room for is counted, and asked for again later. A unit that
// a sender has cut into packets, which only senders of other makes do, may have a
// sixteenth of the memory, at most 16 MiB; a larger one is lost.
//
// With Options.MulticastParity, a sender has parity on demand: receivers ask for so
// many repairs of a group of packets, and each repair, which is computed of the whole
// group, stands in for whichever packet each of them has lost. Many receivers that lose
// different packets are repaired by a few packets then. For what it cannot repair, a
// receiver asks as without: of a group that is not yet whole while the sender pauses,
// of the group within which it has joined, and when it is short of memory. libzmq's
// receivers do not bear parity: the PGM library that they use takes note of it and
// stops, or ends the process.
//
// There is no acknowledgement: a sender does not know who receives, and does not
// wait for a slow receiver. Repairs use the rate, too, up to three quarters of it
// while new packets wait: a receiver that misses much can slow the sender down to that. Set
// the rate to what the network and the receivers bear; its default of 100 kbit/s is
// libzmq's. Nothing is authenticated: whoever is in the network can send, and can
// pretend to be a sender.
//
// Before it ends, a sender stays until nobody has asked for repairs for 600 ms,
// within the bounds of the socket's Linger.
//
// # What is here of RFC 3208
//
// SPM (ambient, heartbeat, on request, at the end), SPMR, ODATA, RDATA, NAK and
// NCF with lists, the repair procedures of sections 5 and 6, parity on demand of
// section 11 with variable packet lengths, and the options OPT_LENGTH, OPT_FRAGMENT
// (on input), OPT_NAK_LIST, OPT_PARITY_PRM, OPT_PARITY_GRP and OPT_FIN; other options
// are heeded as their discard bits say. Not here: parity without being asked, of groups
// of varying size, and of packets with OPT_FRAGMENT, congestion control, NNAK, polls,
// and the part of network elements.
//
// Several receivers of one host can share a group and a port. So can senders, but
// only one of those on the same address gets the requests for repairs, as long as
// it runs: give each a port of its own, or hosts of their own.
package pgm

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/internal/mcast"
)

// Transport is the epgm transport, or with Raw the pgm transport. It is ready to
// use and holds no state.
type Transport struct {
	// Raw sends PGM over IP itself, not in UDP.
	Raw bool
}

func init() {
	transport.Register("epgm", Transport{})
	transport.Register("pgm", Transport{Raw: true})
}

var _ transport.PacketTransport = Transport{}

const (
	defaultRate     = 100 // kbit/s
	defaultRecovery = 10 * time.Second
	defaultTPDU     = 1500
	minTPDU         = 256
	maxTPDU         = 65535
	minWindow       = 256
	windowBytes     = 64 << 20
	receiveWindow   = 32 << 10 // packets
	udpHeader       = 8
	recvBuffer      = 4 << 20 // asked for; the system may give less
)

func (t Transport) name() string {
	if t.Raw {
		return "pgm"
	}
	return "epgm"
}

func (t Transport) noStream() error {
	return fmt.Errorf("%s: there are no connections over %[1]s, only packets: %w", t.name(), errors.ErrUnsupported)
}

// Dial fails: there are no connections.
func (t Transport) Dial(context.Context, string, *transport.Options) (transport.Conn, error) {
	return nil, t.noStream()
}

// Listen fails: there are no connections.
func (t Transport) Listen(context.Context, string, *transport.Options) (transport.Listener, error) {
	return nil, t.noStream()
}

// Ordered reports true: the packets of a sender are a sequence.
func (Transport) Ordered() bool { return true }

// OpenPackets opens addr, to send or to receive; see the package documentation for
// its form.
func (t Transport) OpenPackets(ctx context.Context, addr string, opts *transport.Options, use transport.PacketUse) (transport.PacketConn, error) {
	if opts == nil {
		opts = &transport.Options{}
	}
	c, err := t.open(ctx, addr, opts, use)
	if err != nil {
		return nil, fmt.Errorf("%s: open %q: %w", t.name(), addr, err)
	}
	return c, nil
}

func (t Transport) open(ctx context.Context, addr string, opts *transport.Options, use transport.PacketUse) (transport.PacketConn, error) {
	cfg, err := t.configure(ctx, addr, opts)
	if err != nil {
		return nil, err
	}
	switch {
	case use.Send && use.Recv:
		return nil, errors.New("an endpoint either sends or receives")
	case use.Send:
		return openSender(ctx, cfg)
	default:
		return openReceiver(ctx, cfg)
	}
}

// A config is what an endpoint was opened with, with all defaults.
type config struct {
	raw      bool
	addr     mcast.Addr
	nla      netip.Addr // of this host
	rate     float64    // bytes a second
	window   int        // packets
	tsdu     int        // data in a packet, at most
	memory   int        // bytes that a receiver may hold
	opts     *transport.Options
	counters *transport.PacketCounters
}

func (t Transport) configure(ctx context.Context, addr string, opts *transport.Options) (*config, error) {
	switch {
	case opts.MulticastRate < 0:
		return nil, errors.New("MulticastRate must not be negative")
	case opts.MulticastRecovery < 0:
		return nil, errors.New("MulticastRecovery must not be negative")
	case opts.MulticastMemory != 0 && opts.MulticastMemory < minMemory:
		return nil, fmt.Errorf("MulticastMemory is %d, want 0 or at least %d", opts.MulticastMemory, minMemory)
	case opts.MulticastParity != 0 && !groupSize(opts.MulticastParity):
		return nil, fmt.Errorf("MulticastParity is %d, want 0 or a power of two from %d to %d", opts.MulticastParity, minGroup, maxGroup)
	case opts.MulticastTTL < 0 || opts.MulticastTTL > 255:
		return nil, fmt.Errorf("MulticastTTL is %d, want 0 to 255", opts.MulticastTTL)
	case opts.MaxPacket != 0 && (opts.MaxPacket < minTPDU || opts.MaxPacket > maxTPDU):
		return nil, fmt.Errorf("MaxPacket is %d, want 0 or %d to %d", opts.MaxPacket, minTPDU, maxTPDU)
	case opts.TrafficClass < 0 || opts.TrafficClass > 255:
		return nil, fmt.Errorf("TrafficClass is %d, want 0 to 255", opts.TrafficClass)
	case opts.SendBuffer < 0 || opts.RecvBuffer < 0:
		return nil, errors.New("the size of a buffer must not be negative")
	}
	a, err := mcast.Parse(ctx, addr, opts.Interface)
	switch {
	case err != nil:
		return nil, err
	case !a.Multicast():
		return nil, fmt.Errorf("%s is no multicast group; write it like eth0;239.192.1.1:5555", a.Host)
	case a.Port == 0:
		return nil, errors.New("a group needs the number of a port, which all its members know")
	}
	c := &config{raw: t.Raw, addr: a, nla: a.Local, opts: opts, counters: opts.Packets, memory: opts.MulticastMemory}
	if c.memory == 0 {
		c.memory = defaultMemory
	}
	if !c.nla.IsValid() {
		if c.nla, err = routeTo(a); err != nil {
			return nil, err
		}
	}
	if c.counters == nil {
		c.counters = &transport.PacketCounters{}
	}
	tpdu, recovery, rate := opts.MaxPacket, opts.MulticastRecovery, opts.MulticastRate
	if tpdu == 0 {
		tpdu = defaultTPDU
	}
	if recovery == 0 {
		recovery = defaultRecovery
	}
	if rate == 0 {
		rate = defaultRate
	}
	c.rate = float64(rate) * 1000 / 8
	c.window = int(min(max(c.rate*recovery.Seconds()/float64(tpdu), minWindow), float64(max(windowBytes/tpdu, minWindow))))
	if n := opts.MulticastParity; n > 0 {
		c.window = (c.window + n - 1) / n * n // whole groups
	}
	c.tsdu = tpdu - c.overhead() - dataSize - fragmentSize // as libzmq, which leaves room for OPT_FRAGMENT
	return c, nil
}

// overhead is what is in front of a PGM header.
func (c *config) overhead() int {
	n := 20
	if c.addr.Host.Is6() {
		n = 40
	}
	if !c.raw {
		n += udpHeader
	}
	return n
}

// routeTo returns the address of this host that packets to a leave from.
func routeTo(a mcast.Addr) (netip.Addr, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(a.AddrPort()))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("no way to %s, name an interface before ';': %w", a.Host, err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// newTSI returns the id of a new session, which is not to be guessed.
func newTSI() tsi {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	t := tsi{port: binary.BigEndian.Uint16(b[6:]) | 0x8000}
	copy(t.gsi[:], b[:])
	return t
}

type netAddr struct{ network, addr string }

func (a netAddr) Network() string { return a.network }
func (a netAddr) String() string  { return a.addr }

func (c *config) netAddr() net.Addr {
	return netAddr{Transport{Raw: c.raw}.name(), c.addr.String()}
}

// began is what times are counted from, so that they are monotonic.
var began = time.Now()

func clock() time.Duration { return time.Since(began) }
