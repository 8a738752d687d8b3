package msgcore

import "fmt"

// A Type is a socket type. The zero value is not a type.
type Type uint8

// The socket types. Their doc comments stand at their constructors.
const (
	Pair Type = iota + 1
	Pub
	Sub
	Req
	Rep
	Dealer
	Router
	Pull
	Push
	XPub
	XSub
	Stream
	Server
	Client
	Radio
	Dish
	Gather
	Scatter
	Peer
	Channel
	Dgram
)

// types maps a Type to its wire name and to the types that it may talk to
// (RFC 28, 29, 30, 31, 41, 48, 49, 51, 52). A STREAM talks to no ZMTP socket.
var types = [...]struct {
	name  string
	peers []Type
}{
	Pair:   {"PAIR", []Type{Pair}},
	Pub:    {"PUB", []Type{Sub, XSub}},
	Sub:    {"SUB", []Type{Pub, XPub}},
	Req:    {"REQ", []Type{Rep, Router}},
	Rep:    {"REP", []Type{Req, Dealer}},
	Dealer: {"DEALER", []Type{Rep, Dealer, Router}},
	Router: {"ROUTER", []Type{Req, Dealer, Router}},
	Pull:   {"PULL", []Type{Push}},
	Push:   {"PUSH", []Type{Pull}},
	XPub:   {"XPUB", []Type{Sub, XSub}},
	XSub:   {"XSUB", []Type{Pub, XPub}},
	Stream: {"STREAM", nil},

	Server:  {"SERVER", []Type{Client}},
	Client:  {"CLIENT", []Type{Server}},
	Radio:   {"RADIO", []Type{Dish}},
	Dish:    {"DISH", []Type{Radio}},
	Gather:  {"GATHER", []Type{Scatter}},
	Scatter: {"SCATTER", []Type{Gather}},
	Peer:    {"PEER", []Type{Peer}},
	Channel: {"CHANNEL", []Type{Channel}},
	Dgram:   {"DGRAM", nil},
}

// String returns the ZMTP name of t, such as "DEALER".
func (t Type) String() string {
	if t.valid() {
		return types[t].name
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

func (t Type) valid() bool { return t > 0 && int(t) < len(types) }

// Peers reports whether a socket of type t may talk to one of type u.
func (t Type) Peers(u Type) bool {
	if !t.valid() {
		return false
	}
	for _, p := range types[t].peers {
		if p == u {
			return true
		}
	}
	return false
}

// accepts reports whether t may talk to a peer whose wire name is name.
func (t Type) accepts(name string) bool {
	for _, p := range types[t].peers {
		if types[p].name == name {
			return true
		}
	}
	return false
}
