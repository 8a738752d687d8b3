package msgcore

import (
	"errors"
	"fmt"
	"slices"
)

// ReqOptions are for a REQ only. They change the lockstep of Send and Recv;
// Request has no need of them.
type ReqOptions struct {
	// Relaxed lets Send follow a Send without the Recv between: the request
	// before is given up, and a reply to it is dropped if another peer sends it.
	// One that the same peer sends is told from the new one's by Correlate,
	// which Relaxed should go with. A program that sends again when a reply
	// does not come in time outlives the peer's restart, and may have its
	// request carried out twice.
	Relaxed bool
	// Correlate puts a number in front of each request, and takes only the
	// reply that bears it. The other side is a REP, or a ROUTER that returns
	// the envelope as it came.
	Correlate bool
}

// SubOptions are for SUB and XSUB only.
type SubOptions struct {
	// VerboseUnsubscribe makes an XSUB pass each end of a subscription on to
	// the publishers, not only the last one for a prefix, and also that of one
	// which it does not have: for an XPUB with Options.Pub.Verboser. XSUB only.
	VerboseUnsubscribe bool
}

// checkPatterns says what is wrong with options that only some types have.
func (o *Options) checkPatterns(t Type) error {
	only := func(set bool, name string, types ...Type) error {
		if !set || slices.Contains(types, t) {
			return nil
		}
		return fmt.Errorf("option %s is for %v, not for %v", name, typeList(types), t)
	}
	long := func(m []byte, name string) error {
		if o.MaxMessage > 0 && int64(len(m)) > o.MaxMessage {
			return fmt.Errorf("option %s has %d bytes, Options.MaxMessage is %d", name, len(m), o.MaxMessage)
		}
		return nil
	}
	err := errors.Join(
		only(o.Req != ReqOptions{}, "Req", Req),
		only(o.Sub.VerboseUnsubscribe, "Sub.VerboseUnsubscribe", XSub),
		only(o.Conflate, "Conflate", Push, Pull, Pub, Sub, Dealer),
		only(o.ProbeRouter, "ProbeRouter", Router, Dealer, Req),
		only(o.Hello != nil, "Hello", Dealer, Router, Client, Server, Peer),
		only(o.Hiccup != nil, "Hiccup", Dealer, Client, Peer),
		only(o.Disconnected != nil, "Disconnected", Router, Server, Peer),
		only(o.Welcome != nil, "Welcome", XPub),
		only(o.InvertMatching, "InvertMatching", Pub, XPub, Sub),
		long(o.Hello, "Hello"), long(o.Welcome, "Welcome"), long(o.Hiccup, "Hiccup"), long(o.Disconnected, "Disconnected"),
	)
	if o.Router.Raw && (o.ProbeRouter || o.Hello != nil || o.Disconnected != nil) {
		err = errors.Join(err, errors.New("option Router.Raw goes without ProbeRouter, Hello and Disconnected: plain bytes have no messages"))
	}
	return err
}

// typeList names types, as "REQ, ROUTER and DEALER".
func typeList(types []Type) string {
	s := ""
	for i, t := range types {
		switch {
		case i == 0:
		case i == len(types)-1:
			s += " and "
		default:
			s += ", "
		}
		s += t.String()
	}
	return s
}
