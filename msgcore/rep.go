package msgcore

import (
	"context"
	"errors"
	"sync"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// NewRep returns a REP socket (RFC 28), which receives requests from REQ and
// DEALER sockets, fairly in turn, and sends each reply to where the request
// came from. Send answers the request that was received last, once: without one
// it is ErrState, and so it is while several are unanswered, for then only
// Msg.Reply can tell which is meant. A reply to a peer that is gone, or that
// does not take it at its high-water mark, is dropped and counted. Nil options
// mean defaults.
func NewRep(opts *Options) *Socket { return New(Rep, opts) }

type repPattern struct {
	s *Socket

	mu       sync.Mutex
	open     int    // requests received and not answered
	last     Msg    // the one that Send answers; without a lease once it is answered
	from     *peer  // where it came from
	envelope []byte // of it, in framing, with the delimiter
	frames   int    // in envelope
}

var (
	errNoRequest    = errors.New("there is no request to reply to: Recv one first")
	errManyRequests = errors.New("several requests are unanswered: say which with Msg.Reply")
)

func (*repPattern) attach(*peer) error { return nil }
func (*repPattern) room(*peer)         {}
func (*repPattern) detach(*peer)       {}
func (*repPattern) extra() int         { return 0 }

func (t *repPattern) state() error {
	switch {
	case t.open == 0:
		return stateError{errNoRequest}
	case t.open > 1 || t.last.lease == nil:
		return stateError{errManyRequests}
	}
	return nil
}

func (t *repPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	for i, f := range m.Frames {
		if len(f) != 0 {
			continue
		}
		if i+1 == len(m.Frames) || i > 1<<15 {
			return in.refuse(DropMalformed) // no body, or no envelope of this world
		}
		t.mu.Lock()
		t.open++
		t.from = in.peer
		t.envelope, t.frames = appendEnvelope(t.envelope[:0], m.Frames[:i+1]), i+1
		m.place = m.place.withEnv(i + 1)
		m.Frames = m.Frames[i+1:]
		t.last = Msg{lease: m.lease, slot: m.slot}
		t.mu.Unlock()
		return true
	}
	return in.refuse(DropMalformed) // no delimiter
}

func (t *repPattern) writable() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state() == nil
}

// appendEnvelope appends frames in framing, each with MORE.
func appendEnvelope(dst []byte, frames [][]byte) []byte {
	for _, f := range frames {
		dst = zmtp.AppendHeader(dst, zmtp.FlagMore, len(f))
		dst = append(dst, f...)
	}
	return dst
}

func (t *repPattern) send(o *outgoing) (sendResult, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.state(); err != nil {
		return sendResult{}, err
	}
	o.head, o.headFrames = t.envelope, t.frames
	o.size += int64(len(o.head))
	p := t.from
	t.open, t.from, t.last = 0, nil, Msg{}
	return t.sendTo(p, o), nil
}

// sendTo queues o for p, which may be gone.
func (t *repPattern) sendTo(p *peer, o *outgoing) sendResult {
	switch {
	case !p.attached:
		p.drop(DropUnroutable)
	case !p.out.room(o.size):
		p.drop(DropFull)
	case p.out.push(o):
		return sendResult{woken: p}
	}
	return sendResult{}
}

// reply answers one of several requests.
func (t *repPattern) reply(ctx context.Context, m Msg, frames [][]byte) error {
	first, env := m.place.table(), m.place.env()
	envelope := appendEnvelope(nil, m.lease.table[first:first+uint32(env)])
	if err := t.s.replyTo(ctx, m.lease.in.peer, envelope, int(env), frames); err != nil {
		return err
	}
	t.mu.Lock()
	if t.open > 0 {
		t.open--
	}
	if l := &t.last; l.lease == m.lease && l.slot == m.slot {
		t.last = Msg{}
	}
	t.mu.Unlock()
	return nil
}
