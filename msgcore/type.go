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
)

// types maps a Type to its wire name and to the types that it may talk to
// (RFC 28, 29, 30, 31).
var types = [...]struct {
	name  string
	peers []Type
}{
	Pair:   {"PAIR", []Type{Pair}},
	Pub:    {"PUB", []Type{Sub}},
	Sub:    {"SUB", []Type{Pub}},
	Req:    {"REQ", []Type{Rep, Router}},
	Rep:    {"REP", []Type{Req, Dealer}},
	Dealer: {"DEALER", []Type{Rep, Dealer, Router}},
	Router: {"ROUTER", []Type{Req, Dealer, Router}},
	Pull:   {"PULL", []Type{Push}},
	Push:   {"PUSH", []Type{Pull}},
}

// foreignPeers are wire names of types that we do not offer but may talk to.
var foreignPeers = map[Type][]string{
	Pub: {"XSUB"},
	Sub: {"XPUB"},
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

// accepts reports whether t may talk to a peer whose wire name is name, and
// which of our types that is (0 for one that we do not offer).
func (t Type) accepts(name string) (Type, bool) {
	for _, p := range types[t].peers {
		if types[p].name == name {
			return p, true
		}
	}
	for _, p := range foreignPeers[t] {
		if p == name {
			return 0, true
		}
	}
	return 0, false
}
