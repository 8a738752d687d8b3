package msgcore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// calls are the requests of a socket that wait for their replies. Guarded by
// the socket's recvMu.
type calls struct {
	next    uint32
	waiting map[uint32]*call
	// aside are messages that a Request came upon and that are for Recv.
	aside []Msg
}

// A call is one Request under way.
type call struct {
	reply Msg
	done  bool
	lost  bool // done, without a reply: the connection broke

	// Guarded by sendMu; see request_lost.go.
	to   *peer  // whom the request was queued for
	ends uint32 // how many of its connections had ended then
	w    waiter // listed while it waits
}

// callID is the length of the frame that tells requests apart; REP sockets
// return it with the envelope.
const callID = 4

// lockstepID is set in the ids of a correlated lockstep and in no Request's, so
// that none takes a reply of the other.
const lockstepID = 1 << 31

// appendCallID appends an envelope of id in framing: id's frame, and the
// delimiter.
func appendCallID(dst []byte, id uint32) []byte {
	dst = append(dst, zmtp.FlagMore, callID)
	dst = binary.BigEndian.AppendUint32(dst, id)
	return append(dst, delimiter...)
}

// Request sends frames as a request and waits for its own reply, which it
// returns without the envelope. Any number of requests may be under way at
// once, beside Send and Recv; when ctx ends only this one is abandoned; a reply
// that comes later is dropped by a REQ, and is an ordinary message to a DEALER.
// A request whose connection broke behind it is not sent again, for it may have
// been carried out, and is ErrNoReply at once; one that was still waiting to be
// written goes out on the next connection. REQ and DEALER only; the other side is a
// REP, or a ROUTER that returns the envelope as it came.
func (s *Socket) Request(ctx context.Context, frames ...[]byte) (Msg, error) {
	if s.optErr != nil {
		return Msg{}, s.optErr
	}
	if s.typ != Req && s.typ != Dealer {
		return Msg{}, s.fail("request", "", fmt.Errorf("%w: only REQ and DEALER sockets find each reply's request", errors.ErrUnsupported))
	}
	c := &call{w: waiter{ch: make(chan struct{}, 1), kept: true}}
	s.recvMu.Lock()
	if s.calls.waiting == nil {
		s.calls.waiting = map[uint32]*call{}
		s.calls.next = rand.Uint32()
	}
	id := s.calls.next &^ lockstepID
	for s.calls.waiting[id] != nil {
		id = (id + 1) &^ lockstepID
	}
	s.calls.next = id + 1
	s.calls.waiting[id] = c
	s.requests.Store(true)
	s.recvMu.Unlock()

	head := make([]byte, 0, 4+callID)
	o := sending{head: appendCallID(head, id), headFrames: 2, call: c}
	err := s.transmit(ctx, "request", frames, &o)
	if err == nil {
		err = s.awaitReply(ctx, c)
	}
	if err != nil {
		s.recvMu.Lock()
		delete(s.calls.waiting, id)
		done := c.done
		s.recvMu.Unlock()
		if !done {
			return Msg{}, err
		} // it came all the same
	}
	if c.lost {
		return Msg{}, s.fail("request", "", ErrNoReply)
	}
	return c.reply, nil
}

// awaitReply receives until c has its reply. Whoever of the socket's receivers
// comes upon the reply delivers it.
func (s *Socket) awaitReply(ctx context.Context, c *call) error {
	s.recvMu.Lock()
	for !c.done {
		if s.closed {
			s.recvMu.Unlock()
			return s.fail("request", "", errClosed)
		}
		var m Msg
		if len(s.calls.aside) < batchFor(s.opts.RecvHWM) && s.fair.recv(s, &m) {
			s.calls.aside = append(s.calls.aside, m)
			s.recvWait.wakeAll() // a Recv among them must have it
			continue
		}
		s.noStandIn()
		if c.done {
			break
		}
		if s.inline && ctx.Err() == nil && s.readHere(ctx, s.only.Load(), true) {
			continue
		}
		if c.done {
			break
		}
		s.recvWait.enlist(&c.w)
		s.recvMu.Unlock()
		if err := s.recvWait.wait(ctx, &s.recvMu, &c.w); err != nil {
			return s.fail("request", "", err)
		}
		s.recvMu.Lock()
	}
	next := s.passOn()
	s.recvMu.Unlock()
	next.signal()
	return nil
}

// deliver gives m to the Request that it is the reply of, if any; under recvMu.
func (s *Socket) deliver(in *inlet, m *Msg) bool {
	if m.Event() == eventLost {
		s.loseCalls(in.peer, 0, binary.BigEndian.Uint32(m.Frames[0]))
		return true
	}
	waiting := s.calls.waiting
	if waiting == nil || len(m.Frames) < 3 || len(m.Frames[0]) != callID || len(m.Frames[1]) != 0 {
		return false
	}
	id := binary.BigEndian.Uint32(m.Frames[0])
	c := waiting[id]
	if c == nil {
		return false
	}
	m.Frames = m.Frames[2:]
	c.reply = *m
	*m = Msg{}
	s.finishCall(id, c)
	return true
}

// finishCall lets c's Request go on; under recvMu.
func (s *Socket) finishCall(id uint32, c *call) {
	delete(s.calls.waiting, id)
	c.done = true
	if s.recvWait.remove(&c.w) {
		c.w.signal()
	}
}
