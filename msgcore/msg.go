package msgcore

import (
	"context"
	"errors"
)

// A Msg is one message of one or more frames.
//
// A received Msg owns its frames: they may be modified and kept, and appending
// to one changes no other. The frames of small messages that came together lie
// in one buffer, so that a small message that is kept for long keeps up to
// 72 KiB alive; Clone frees it of that. Release gives the buffers back for
// reuse, which makes a busy receiver faster; it is optional.
//
// A Msg made by hand, Msg{Frames: ...}, is what SendMsg takes. A Msg may be
// copied; the copies are one message and must not be used by several goroutines
// at once when one of them modifies or releases it.
type Msg struct {
	// Frames are the message's frames, at least one. A ROUTER's first one is
	// the routing id of the peer.
	Frames [][]byte
	// RoutingID names the peer that a message of SERVER or PEER came from or
	// is for; 0 elsewhere.
	RoutingID uint32

	lease *lease // keeps account of the buffers; nil for one made by hand
	slot  slot
	place place
}

// A Msg and an error are just the nine words that functions return in registers on
// amd64, and small numbers share words that are written in one piece, since a processor
// waits when it reads in one piece what was written in parts. Receiving is faster by a
// tenth for it.

// A slot is the number of a message in its lease, and the generation of that.
type slot uint64

func newSlot(index, gen uint32) slot { return slot(gen)<<32 | slot(index) }
func (s slot) index() uint32         { return uint32(s) }
func (s slot) gen() uint32           { return uint32(s >> 32) }

// A place is the index in lease.table of the first frame, envelope included; how
// many frames of it are ahead of Frames, which is REP's envelope; and what a
// ROUTER reports by the message.
type place uint64

func newPlace(table int, event Notify) place { return place(event)<<48 | place(uint32(table)) }
func (p place) table() uint32                { return uint32(p) }
func (p place) env() uint16                  { return uint16(p >> 32) }
func (p place) event() Notify                { return Notify(p >> 48) }

func (p place) withEnv(n int) place { return p | place(uint16(n))<<32 }

// Release gives the buffers of a received message back for reuse. The message,
// its copies and their frames must not be used any more. It is optional: what
// is not released is left to the collector. A second call, on a copy too, does
// nothing. With the race detector on, released frames are overwritten.
func (m Msg) Release() {
	l := m.lease
	if l == nil {
		return
	}
	if raceEnabled && l.alive(m.slot) {
		for _, f := range m.Frames {
			poison(f)
		}
	}
	l.release(m.slot.index()>>5, m.slot.gen(), 1<<(m.slot.index()&31))
}

// poison overwrites released bytes.
func poison(b []byte) {
	for i := range b {
		b[i] = 0xDB
	}
}

// ReleaseBatch releases msgs, as Release does one by one, but at the cost of
// about one for messages that were received together.
func ReleaseBatch(msgs []Msg) {
	for i := 0; i < len(msgs); {
		l := msgs[i].lease
		switch {
		case l == nil: // made by hand
			i++
			continue
		case raceEnabled:
			msgs[i].Release()
			i++
			continue
		}
		// The messages of one word go together.
		first, mask := msgs[i].slot, uint32(0)
		for i < len(msgs) && msgs[i].lease == l && msgs[i].slot>>5 == first>>5 {
			mask |= 1 << (msgs[i].slot.index() & 31)
			i++
		}
		l.release(first.index()>>5, first.gen(), mask)
	}
}

// Clone returns a copy of m in memory of its own: one allocation for the bytes
// and one for the frames, and nothing else is kept alive by it. The copy
// cannot be replied to.
func (m Msg) Clone() Msg {
	n := 0
	for _, f := range m.Frames {
		n += len(f)
	}
	buf := make([]byte, 0, n)
	frames := make([][]byte, len(m.Frames))
	for i, f := range m.Frames {
		at := len(buf)
		buf = append(buf, f...)
		frames[i] = buf[at:len(buf):len(buf)]
	}
	return Msg{Frames: frames, place: newPlace(0, m.Event())}
}

// Bytes returns the frames of m joined. A single frame is returned as it is,
// not copied.
func (m Msg) Bytes() []byte {
	if len(m.Frames) == 1 {
		return m.Frames[0]
	}
	n := 0
	for _, f := range m.Frames {
		n += len(f)
	}
	b := make([]byte, 0, n)
	for _, f := range m.Frames {
		b = append(b, f...)
	}
	return b
}

// Peer describes who sent m. It is nil for a message that was made by hand,
// cloned or released.
func (m Msg) Peer() *PeerInfo {
	if m.lease == nil || !m.lease.alive(m.slot) {
		return nil
	}
	return m.lease.in.info
}

// Event tells what a ROUTER with Options.Router.Notify reports by m:
// NotifyConnect, NotifyDisconnect, or 0 for a message of the peer.
func (m Msg) Event() Notify { return m.place.event() }

var errNotReceived = errors.New("only what a REP, ROUTER, SERVER or PEER received, and is not released, can be replied to")

// Reply answers the peer that m came from; any number of received messages may
// be answered, in any order. It works on what a REP, a ROUTER, a SERVER or a PEER received, until
// m is released.
//
// On a REP it goes beside the lockstep of Recv and Send. On a ROUTER the reply
// carries the envelope of m: all frames up to the first empty one, or the
// routing id alone where there is none. A peer that is gone gives
// ErrUnroutable; a full queue is waited for until ctx ends.
func (m Msg) Reply(ctx context.Context, frames ...[]byte) error {
	if m.lease == nil || !m.lease.alive(m.slot) || m.lease.in.peer == nil {
		return &OpError{Op: "reply", Err: errNotReceived}
	}
	s := m.lease.in.peer.s
	r, ok := s.pat.(replier)
	if !ok || m.Event() != 0 && !s.bytes {
		return &OpError{Op: "reply", Type: s.typ, Err: errNotReceived}
	}
	return r.reply(ctx, m, frames)
}
