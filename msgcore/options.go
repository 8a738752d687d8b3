package msgcore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// Discard as Options.Linger makes Close drop what is not sent.
const Discard time.Duration = 1

// Options configures a Socket. Nil and the zero value of each field mean the
// default. A Socket copies its Options; they are checked as a whole by the
// first call, or by Validate.
type Options struct {
	// SendHWM and RecvHWM bound the messages queued for and from each peer:
	// 0 means 1000, negative no bound. The kernel's buffers come on top. On
	// inproc, where both queues are one, the two are added up.
	SendHWM, RecvHWM int
	// SendBytes and RecvBytes bound the same queues in bytes; one message
	// always fits. 0 means 64 MiB where the pattern waits for room, and no
	// bound where it drops (PUB); negative means no bound.
	SendBytes, RecvBytes int64
	// MaxMessage refuses larger messages, in bytes of all frames together, in
	// both directions; a peer that sends one is disconnected. From the 1001st
	// frame of a message on each counts 32 bytes more. 0 means no limit.
	MaxMessage int64
	// Linger bounds Close: it waits for unsent messages while bytes still
	// move, and gives up when nothing has moved for Linger, and after 30
	// times Linger in any case. Then, and if negative for 1 s, it waits for the
	// peers to close their ends, which they do when they have read everything.
	// 0 means 1 s, Discard does not wait, negative waits for ever.
	Linger time.Duration
	// RoutingID names this socket to a ROUTER: at most 255 bytes, not
	// starting with a zero byte. Empty lets the ROUTER choose.
	RoutingID string
	// Metadata is told to every peer in the handshake; names start with "X-".
	Metadata map[string]string
	// Mechanism secures every connection but those on inproc; nil means NULL.
	// Both sides must have the same one, in the two roles that it has.
	Mechanism zmtp.Mechanism
	// Authorize admits a peer during its handshake, and returns properties to
	// add to the peer's; see zmtp.Config. Nil admits whom the mechanism admits.
	Authorize func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error)
	// MinVersion is the oldest ZMTP that peers may speak. The zero value means 1.0,
	// as libzmq does, but 3.0 with Mechanism or Authorize, since older ones have no
	// security, and for types that they do not know. From 3.0 on a connection is
	// ready one round trip sooner, because the greeting need not be careful.
	MinVersion zmtp.Version
	// Handshake bounds the time of a handshake. 0 means 30 s, negative no
	// bound.
	Handshake time.Duration
	// HandshakePeers bounds how many accepted connections may be in their
	// handshake at once. One more, and the one that has taken the longest is
	// closed. 0 means 1024, negative no bound. Those that come together begin a
	// few at a time, as long as each is through within a tenth of a second, which
	// keeps a thousand that come at once from taking much memory.
	HandshakePeers int
	// HandshakeBytes bounds what a peer may send in its handshake, in bytes. 0
	// means 128 KiB, negative no bound but that of 64 KiB for each command.
	HandshakeBytes int64
	// ConnectTimeout bounds each dial. 0 leaves it to the system.
	ConnectTimeout time.Duration
	// Spin is how long Recv and Request look for a reply again and again before
	// they sleep, where they read the connection themselves: over tcp or ipc, on
	// a REP that is bound or has one peer, and on a REQ. It takes most of a processor, and
	// spares the time that the system needs to wake up a sleeping one; 20 µs
	// are enough for that. 0 sleeps at once; at most 10 ms. REQ and REP only.
	Spin time.Duration
	// Immediate queues only for peers that are connected, so that messages are
	// not held for one that may never come; without any, Send waits. What is
	// queued for a connection that breaks is dropped and counted then, instead
	// of waiting for the next one.
	Immediate bool
	// Conflate keeps only the last message in each queue, for and from each peer,
	// whatever its size and number of frames; the ones before are dropped and
	// counted. The high-water marks have no meaning then. On inproc, where both
	// queues are one, either side's will do. PUSH, PULL, PUB, SUB and DEALER only.
	Conflate bool
	// ProbeRouter sends an empty message on each new connection, ahead of all
	// others, so that a ROUTER there hears of this socket, and of its RoutingID,
	// before it has anything to say. Other types receive it as a message; REQ and
	// REP drop it. ROUTER, DEALER and REQ only.
	ProbeRouter bool
	// Hello is a message of one frame that is sent on each new connection, made
	// or accepted, ahead of all others; nil sends none. DEALER, ROUTER, CLIENT,
	// SERVER and PEER only.
	Hello []byte
	// Welcome is a message of one frame that a peer is sent when it connects, if
	// it subscribes to its beginning: a SUB drops what it has not subscribed to.
	// Nil sends none. XPUB only.
	Welcome []byte
	// InvertMatching sends each message to the peers that have no subscription
	// that matches it, and receives on a SUB what matches none. Both sides need
	// it. PUB, XPUB and SUB only.
	InvertMatching bool
	// Disconnected is a message of one frame that is received, as if the peer
	// had sent it last, when a connection has ended that was accepted; nil means
	// none. ROUTER, SERVER and PEER only.
	Disconnected []byte
	// Hiccup is the like when a connection has ended that this socket has made,
	// and that it will make again. DEALER, CLIENT and PEER only.
	Hiccup []byte

	Reconnect Reconnect
	Heartbeat Heartbeat
	Req       ReqOptions
	Router    RouterOptions
	Pub       PubOptions
	Sub       SubOptions
	Stream    StreamOptions

	// Inproc is the name space of this socket's inproc endpoints; nil means
	// the one of the process.
	Inproc *transport.Space
	// Transports finds the transport of each scheme for this socket; nil means
	// transport.Lookup, that is those that are registered. Package simnet has
	// others, for tests.
	Transports func(scheme string) (transport.Transport, bool)
	// Transport tunes the endpoints of this socket.
	Transport transport.Options
	// Monitor, if not nil, is told of each Event of the socket, in order, on a
	// goroutine of its own. At most 1024 events wait for it; more are lost and
	// counted by Stats. It must not call Close or Shutdown, which wait for it.
	Monitor func(Event)
}

// Reconnect says how a lost or refused connection is dialed again.
type Reconnect struct {
	// Interval is the first pause; a random part of up to a quarter is taken
	// off so that peers do not come back in step. 0 means 100 ms, negative
	// never dials again.
	Interval time.Duration
	// Max is the longest pause: it doubles from Interval up to Max. 0 keeps
	// the pause at Interval.
	Max time.Duration
	// Refused is the longest pause after a handshake that failed, most of all
	// by a peer that refuses this side: from the second one in a row on the
	// pause doubles up to Refused. 0 means 10 s, negative does not dial again,
	// as StopHandshake.
	Refused time.Duration
	// Stop says what ends an endpoint for good instead of a new dial. What waits
	// for it is dropped and counted, and a Closed event says why. 0 means nothing.
	Stop Stop
}

// Stop is a set of what makes a socket give up an endpoint that it connects to, but
// for those of udp, pgm and epgm. Disconnect does so in any case.
type Stop uint8

// What may end an endpoint.
const (
	// StopRefused is for a dial that was refused: nobody listens there, or on ipc
	// there is no such file. inproc waits instead.
	StopRefused Stop = 1 << iota
	// StopHandshake is for a handshake that failed: the peer is no ZeroMQ socket,
	// or is of the wrong type, or either side refuses the other.
	StopHandshake
	// StopDisconnected is for a connection that was ready and has ended.
	StopDisconnected
)

// Heartbeat says how silent peers are found (PING and PONG of ZMTP 3.1).
type Heartbeat struct {
	// Interval is the time between PINGs. 0 sends none.
	Interval time.Duration
	// Timeout is how long a peer may be silent after a PING. 0 means Interval.
	Timeout time.Duration
	// TTL asks the peer to drop the connection when it hears nothing for that
	// long. 0 asks for nothing; at most 65.5 s, and over Interval.
	TTL time.Duration
}

// RouterOptions are for a ROUTER only.
type RouterOptions struct {
	// Mandatory makes sends to an unknown routing id fail with ErrUnroutable,
	// and sends to a peer at its high-water mark wait. Without it both drop
	// the message and count it.
	Mandatory bool
	// Handover lets a new peer take over a routing id that is in use; without
	// it the new one's connection is ended, until it comes back and the id is free.
	// A peer whose connection broke without a sign is kept out by itself, then, for
	// as long as its end is not noticed: Handover or a Heartbeat helps.
	Handover bool
	// Notify reports each peer that comes or goes as a received message of
	// two frames, its routing id and an empty one, in order with its messages.
	// Msg.Event tells them from data.
	Notify Notify
	// Raw makes the ROUTER a STREAM: its connections carry plain bytes. It is
	// there for programs that come from libzmq. An unknown routing id is dropped,
	// unless Mandatory, and Notify is always on.
	Raw bool
}

// PubOptions are for PUB and XPUB only; all but NoDrop for XPUB.
type PubOptions struct {
	// NoDrop makes Send wait for room at every subscriber that the message is
	// for, instead of dropping it for those that have none.
	NoDrop bool
	// Verbose passes every subscription of a peer to an XPUB's application,
	// not only those to a prefix that nobody had.
	Verbose bool
	// Verboser does the same for the ends of subscriptions, too, also of those
	// of a peer that goes.
	Verboser bool
	// Manual leaves it to an XPUB's application who gets what. All subscriptions
	// and their ends are received, as with Verboser, and change nothing; Subscribe
	// and Unsubscribe then apply to the peer whose message was received last. What
	// a peer that goes had asked for is received as ended, and what it was given
	// ends by itself. Receive one message at a time, on one goroutine.
	Manual bool
	// ManualLastValue is Manual, and the first message that is sent after a
	// Subscribe goes to that peer alone, if it matches: the last value of a cache.
	ManualLastValue bool
}

// Notify is a set of what a ROUTER reports in band.
type Notify uint8

// What a ROUTER may report.
const (
	NotifyConnect Notify = 1 << iota
	NotifyDisconnect
)

const (
	defaultHWM       = 1000
	defaultBytes     = 64 << 20
	defaultLinger    = time.Second
	defaultHandshake = 30 * time.Second
	defaultReconnect = 100 * time.Millisecond
	defaultRefused   = 10 * time.Second
	defaultEntering  = 1024
	defaultHandBytes = 128 << 10
	lingerCap        = 30 // times Linger, in any case
	maxTTL           = 65500 * time.Millisecond

	maxSpin    = 10 * time.Millisecond
	freeFrames = 1000 // of a message, that MaxMessage counts nothing for but their bytes
	frameCost  = 32   // of each further one
)

// Validate reports what is wrong with o for a socket of type t, or nil.
func (o *Options) Validate(t Type) error {
	if err := o.check(t); err != nil {
		return &OpError{Op: "options", Type: t, Err: err}
	}
	return nil
}

func (o *Options) check(t Type) error {
	switch {
	case !t.valid():
		return errors.New("no such socket type")
	case o == nil:
		return nil
	case len(o.RoutingID) > 255:
		return fmt.Errorf("RoutingID has %d bytes, the limit is 255", len(o.RoutingID))
	case strings.HasPrefix(o.RoutingID, "\x00"):
		return errors.New("RoutingID starts with a zero byte, which is reserved for ids that a ROUTER makes")
	case o.MaxMessage < 0:
		return fmt.Errorf("MaxMessage is %d, want 0 for no limit or more", o.MaxMessage)
	case o.Heartbeat.Interval < 0 || o.Heartbeat.Timeout < 0 || o.Heartbeat.TTL < 0:
		return errors.New("Heartbeat times must not be negative")
	case o.Heartbeat.TTL > maxTTL:
		return fmt.Errorf("Heartbeat.TTL is %v, at most %v can be told safely to every peer", o.Heartbeat.TTL, maxTTL)
	case o.Heartbeat.TTL > 0 && o.Heartbeat.TTL <= o.Heartbeat.Interval:
		return fmt.Errorf("Heartbeat.TTL %v is not over Heartbeat.Interval %v: peers would drop us between two PINGs", o.Heartbeat.TTL, o.Heartbeat.Interval)
	case o.Reconnect.Max < 0:
		return errors.New("Reconnect.Max must not be negative")
	case o.Reconnect.Stop > StopRefused|StopHandshake|StopDisconnected:
		return fmt.Errorf("option Reconnect.Stop is %#x, which has flags that there are not", uint8(o.Reconnect.Stop))
	case o.Router != RouterOptions{} && t != Router:
		return fmt.Errorf("Options.Router is for ROUTER, not for %v", t)
	case o.Pub != PubOptions{} && t != Pub && t != XPub:
		return fmt.Errorf("Options.Pub is for PUB and XPUB, not for %v", t)
	case o.Stream != StreamOptions{} && t != Stream:
		return fmt.Errorf("Options.Stream is for STREAM, not for %v", t)
	case o.MinVersion != zmtp.Version{} && o.MinVersion.Less(zmtp.Version{Major: 3}) && o.secured():
		return fmt.Errorf("option MinVersion is %v, but peers before ZMTP 3.0 cannot be secured", o.MinVersion)
	case (zmtp.Version{Major: 3, Minor: 1}).Less(o.MinVersion):
		return fmt.Errorf("option MinVersion is %v, the latest is 3.1", o.MinVersion)
	case (t == Stream || o.Router.Raw) && o.speaksZMTP():
		return fmt.Errorf("a %v of plain bytes has no use for RoutingID, Metadata, Mechanism, Authorize and Heartbeat, which are of ZMTP", t)
	case t == Pub && o.Pub != PubOptions{NoDrop: o.Pub.NoDrop}:
		return errors.New("options Pub.Verbose, Verboser, Manual and ManualLastValue are for XPUB: a PUB does not receive subscriptions")
	case o.Spin < 0 || o.Spin > maxSpin:
		return fmt.Errorf("option Spin is %v, want 0 to %v", o.Spin, maxSpin)
	case o.Spin > 0 && t != Req && t != Rep:
		return fmt.Errorf("option Spin is for REQ and REP, not for %v", t)
	case o.ConnectTimeout < 0:
		return errors.New("ConnectTimeout must not be negative")
	}
	if err := o.checkPatterns(t); err != nil {
		return err
	}
	if err := o.Transport.Validate(); err != nil {
		return fmt.Errorf("in Transport: %w", err)
	}
	for k := range o.Metadata {
		if !strings.HasPrefix(k, "X-") || len(k) > 255 {
			return fmt.Errorf("name %q in Metadata: names start with \"X-\" and have at most 255 bytes", k)
		}
	}
	all := zmtp.Properties{zmtp.SocketType: t.String(), zmtp.Identity: o.RoutingID}
	maps.Copy(all, o.Metadata)
	if err := all.Validate(); err != nil {
		return fmt.Errorf("in Metadata: %w", err)
	}
	return nil
}

// secured reports whether o asks who a peer is.
func (o *Options) secured() bool {
	return o.Authorize != nil || o.Mechanism != nil && o.Mechanism.Name() != zmtp.Null().Name()
}

// speaksZMTP reports whether o asks for something that only ZMTP has.
func (o *Options) speaksZMTP() bool {
	return o.RoutingID != "" || len(o.Metadata) > 0 || o.Mechanism != nil || o.Authorize != nil || o.Heartbeat != Heartbeat{}
}

// withDefaults returns a copy of o with every default filled in, for a valid o.
func (o *Options) withDefaults(t Type) Options {
	var c Options
	if o != nil {
		c = *o
	}
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		} else if *v < 0 {
			*v = 0 // no bound
		}
	}
	def(&c.HandshakePeers, defaultEntering)
	if c.HandshakeBytes == 0 {
		c.HandshakeBytes = defaultHandBytes
	}
	if c.Reconnect.Refused == 0 {
		c.Reconnect.Refused = defaultRefused
	} else if c.Reconnect.Refused < 0 {
		c.Reconnect.Stop |= StopHandshake
	}
	def(&c.SendHWM, defaultHWM)
	def(&c.RecvHWM, defaultHWM)
	octets := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		} else if *v < 0 {
			*v = 0
		}
	}
	drops := int64(0)
	if t != Pub && t != XPub && t != Radio || c.Pub.NoDrop {
		drops = defaultBytes
	}
	octets(&c.SendBytes, drops)
	octets(&c.RecvBytes, defaultBytes)
	if c.Conflate {
		c.SendHWM, c.RecvHWM, c.SendBytes, c.RecvBytes = 0, 0, 0, 0 // no bound
	}
	if c.Linger == 0 {
		c.Linger = defaultLinger
	}
	if c.Handshake == 0 {
		c.Handshake = defaultHandshake
	}
	if c.Reconnect.Interval == 0 {
		c.Reconnect.Interval = defaultReconnect
	}
	if c.Heartbeat.Timeout == 0 {
		c.Heartbeat.Timeout = c.Heartbeat.Interval
	}
	if c.MinVersion == (zmtp.Version{}) && !c.secured() {
		c.MinVersion.Major = 1 // package zmtp knows where not
	}
	if t == Stream && !c.Stream.Quiet || c.Router.Raw {
		c.Router.Notify = NotifyConnect | NotifyDisconnect
	}
	c.Metadata = maps.Clone(c.Metadata)
	for _, m := range []*[]byte{&c.Hello, &c.Welcome, &c.Hiccup, &c.Disconnected} {
		*m = bytes.Clone(*m)
	}
	c.Transport.Space = c.Inproc
	return c
}
