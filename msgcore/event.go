package msgcore

import (
	"fmt"
	"time"

	"github.com/solomq/solomq/transport"
)

// PeerInfo describes a peer at the end of its handshake.
type PeerInfo struct {
	Endpoint   string            // of ours that it is connected through
	RemoteAddr string            // as the transport tells it
	Type       string            // its socket type's wire name
	RoutingID  string            // by which a ROUTER addresses it; empty for other types
	Mechanism  string            // such as "NULL"
	Properties map[string]string // of its handshake; do not modify
	Cred       transport.Cred    // by the kernel's word on ipc; else all -1
}

// An EventKind is what happened to an endpoint or a connection.
//
// Where the events of libzmq's zmq_socket_monitor have gone:
//
//	ZMQ_EVENT_LISTENING                  Listening
//	ZMQ_EVENT_BIND_FAILED                none: it is the error of Bind
//	ZMQ_EVENT_ACCEPTED                   Accepted
//	ZMQ_EVENT_ACCEPT_FAILED              AcceptFailed
//	ZMQ_EVENT_CONNECTED                  Connected
//	ZMQ_EVENT_CONNECT_DELAYED            none: every dial is in the background
//	ZMQ_EVENT_CONNECT_RETRIED            ConnectRetried, with the reason
//	ZMQ_EVENT_HANDSHAKE_SUCCEEDED        HandshakeSucceeded, with the peer
//	ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL HandshakeFailed
//	ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL  HandshakeFailed; Err is a *zmtp.ProtocolError, if the peer broke a rule
//	ZMQ_EVENT_HANDSHAKE_FAILED_AUTH      HandshakeFailed; Err is a *zmtp.RejectedError, if either side refused the other
//	ZMQ_EVENT_DISCONNECTED               Disconnected, with the reason
//	ZMQ_EVENT_CLOSED                     Closed
//	ZMQ_EVENT_CLOSE_FAILED               none: an endpoint is given up in any case
//	ZMQ_EVENT_MONITOR_STOPPED            none: Close returns when Options.Monitor has been told all
//	ZMQ_EVENT_PIPES_STATS                none: Socket.PeerStats has what is queued for and from each peer, at any time
type EventKind uint8

// The event kinds.
const (
	Listening          EventKind = iota + 1 // an endpoint is bound
	Accepted                                // a connection came in
	AcceptFailed                            // accepting failed; Err says why; it is tried again after a pause
	Connected                               // a connection went out
	ConnectRetried                          // a dial failed; Err says why; it is tried again after a pause
	HandshakeSucceeded                      // the peer is ready
	HandshakeFailed                         // the peer was refused, or refused us; Err says why
	Disconnected                            // a connection whose handshake had succeeded ended; Err says why
	Closed                                  // an endpoint is no longer bound, or is given up, never to be dialed again (Reconnect); Err says why
	PacketsLost                             // Lost packets of one publisher are missing for good on an endpoint of pgm or epgm
	AcceptRefused                           // a connection that came in was closed at once: Options.Transport.Credentials refuses its Peer.Cred; Err says why
	MessagesDropped                         // Dropped messages for or from Peer were given up, because of Cause
)

var eventNames = [...]string{
	Listening: "listening", Accepted: "accepted", AcceptFailed: "accept failed",
	Connected: "connected", ConnectRetried: "connect retried",
	HandshakeSucceeded: "handshake succeeded", HandshakeFailed: "handshake failed",
	Disconnected: "disconnected", Closed: "closed", PacketsLost: "packets lost",
	AcceptRefused: "accept refused", MessagesDropped: "messages dropped",
}

// String returns the name of k.
func (k EventKind) String() string {
	if k > 0 && int(k) < len(eventNames) {
		return eventNames[k]
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

// An Event reports a change to an endpoint or a connection, or messages that were
// dropped. Of these the first one for a Cause and a Peer is reported at once, and
// then, as long as there are more, once a second how many there were: no flood of
// drops keeps other events out. Where messages of more than 32 peers are dropped at
// a time, the others have an event together for each Cause, without a Peer.
type Event struct {
	Kind     EventKind
	Time     time.Time
	Endpoint string
	Peer     PeerInfo // as far as it is known
	Err      error
	Lost     uint64 // packets, each of one or more messages or a part of one
	Cause    DropCause
	Dropped  uint64 // messages, for this Cause, of this Peer and since the last such event
}
