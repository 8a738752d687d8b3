package msgcore

import (
	"fmt"
	"sync/atomic"
)

// A DropCause says why a message was given up: each that is has one.
type DropCause uint8

// The causes. Those that are sent and dropped here:
const (
	DropFull       DropCause = iota + 1 // the peer was at its high-water mark
	DropUnroutable                      // no peer has the routing id, or the peer is gone
	DropLost                            // it was queued for a peer that went away
	DropReplaced                        // by a newer message (Options.Conflate), on either side
	// Written here, to a connection that has ended before the peer had read it; where
	// the connection can tell (transport.DeliveryConn):
	DropUndelivered
	// And those that have come and that the application does not get:
	DropFiltered   // nothing is subscribed to that matches it, or its group is not joined
	DropUnexpected // a reply that no request waits for, or bytes behind the end of a connection (STREAM)
	DropMalformed  // it has not the frames that a message of this type of socket has
	DropUnwanted   // a type of socket that does not receive has got it
	DropUnread     // it was not received before the socket was closed, or its connection by this side
	dropCauses
)

var dropNames = [dropCauses]string{
	DropFull: "full", DropUnroutable: "unroutable", DropLost: "lost", DropReplaced: "replaced",
	DropUndelivered: "undelivered",
	DropFiltered:    "filtered", DropUnexpected: "unexpected", DropMalformed: "malformed",
	DropUnwanted: "unwanted", DropUnread: "unread",
}

// String returns the name of c.
func (c DropCause) String() string {
	if c > 0 && c < dropCauses {
		return dropNames[c]
	}
	return fmt.Sprintf("DropCause(%d)", uint8(c))
}

// A dropCount counts messages that were dropped, by cause. Drops are counted one
// by one, what is not dropped costs nothing.
type dropCount [dropCauses]atomic.Uint64

// drop counts n messages of p, which info describes, that are given up. p is nil
// where there is no peer. The caller holds a lock under which info may be read,
// and may hold any.
func (s *Socket) drop(cause DropCause, p *peer, info *PeerInfo, n int) {
	if n == 0 {
		return
	}
	s.drops[cause].Add(uint64(n))
	if s.events != nil {
		s.events.drops.note(cause, p, info, uint64(n))
	}
	if p == nil {
		return
	}
	own := p.drops.Load()
	if own == nil { // most peers never need one
		p.drops.CompareAndSwap(nil, new(dropCount))
		own = p.drops.Load()
	}
	own[cause].Add(uint64(n))
}

// drop counts a message for p that is not queued; under sendMu.
func (p *peer) drop(cause DropCause) { p.s.drop(cause, p, p.describe(), 1) }

// refuse counts a message that has come and is not for the application, and is the
// result of a pattern's recv; under recvMu.
func (in *inlet) refuse(cause DropCause) bool {
	in.peer.s.drop(cause, in.peer, in.info, 1)
	return false
}

// stats returns what was counted.
func (d *dropCount) stats() (s DropStats) {
	if d == nil {
		return s
	}
	for c, field := range s.byCause() {
		if field != nil {
			*field = d[c].Load()
		}
	}
	return s
}

// byCause returns the field of each cause; there is none for 0.
func (s *DropStats) byCause() [dropCauses]*uint64 {
	return [...]*uint64{
		DropFull: &s.DroppedFull, DropUnroutable: &s.DroppedUnroutable, DropLost: &s.DroppedLost,
		DropReplaced: &s.DroppedReplaced, DropUndelivered: &s.DroppedUndelivered, DropFiltered: &s.DroppedFiltered, DropUnexpected: &s.DroppedUnexpected,
		DropMalformed: &s.DroppedMalformed, DropUnwanted: &s.DroppedUnwanted, DropUnread: &s.DroppedUnread,
	}
}
