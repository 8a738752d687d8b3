package msgcore

import (
	"context"
	"errors"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// NewStream returns a STREAM socket, which speaks to programs that know nothing
// of ZeroMQ: it sends and receives the plain bytes of tcp, ipc or inproc
// connections, without any framing, handshake or security of its own.
//
// A message has two frames, the routing id of a connection and bytes of it, as
// they came; where one Send ends and the next begins the other side does not
// see. An empty second frame is received when a connection is there and when it
// has ended (Msg.Event tells which), unless Options.Stream.Quiet; one that is
// sent closes the connection, after what was sent before, and ends what is
// received from it; Msg.Reply sends to it, too. Send waits while the connection has no room, for it alone; an
// id that no connection has is ErrUnroutable. A connection that was dialed and
// lost is dialed again, under another id, and what was queued is dropped, for
// nobody could tell where to go on. Options for ZMTP are refused.
//
// Listener and Dial make a net.Listener and net.Conns of a STREAM, in place of
// Send and Recv. Nil options mean defaults.
func NewStream(opts *Options) *Socket { return New(Stream, opts) }

// StreamOptions are for a STREAM only.
type StreamOptions struct {
	// Quiet leaves out the messages that tell of a connection that is there or
	// has ended.
	Quiet bool
}

var (
	errStreamFrames = errors.New("a message of plain bytes has two frames: the routing id of a connection, and the bytes")
	errLetGo        = errors.New("the application has closed the connection")
)

// A streamPattern names connections as a ROUTER names its peers.
type streamPattern struct{ *routerPattern }

func (t *streamPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, in.peer.routingID())
	return !in.peer.gone.Load() || in.event == 0 && in.refuse(DropUnexpected)
}

func (t *streamPattern) send(o *outgoing) (sendResult, error) {
	if len(o.frames) != 2 {
		return sendResult{}, errStreamFrames
	}
	p := t.peers[string(o.frames[0])]
	if p == nil {
		if t.s.typ == Router && !t.s.opts.Router.Mandatory {
			t.s.drop(DropUnroutable, nil, nil, 1)
			return sendResult{}, nil
		}
		return sendResult{}, ErrUnroutable
	}
	if len(o.frames[1]) == 0 {
		t.detach(p)
		if p.letGo() {
			return sendResult{woken: p}, nil
		}
		return sendResult{}, nil
	}
	size := o.size - int64(frameSize(len(o.frames[0])))
	if !p.out.room(size) {
		p.out.starved = true
		return sendResult{full: true, on: p}, nil
	}
	o.frames, o.size = o.frames[1:], size
	if p.out.push(o) {
		return sendResult{woken: p}, nil
	}
	return sendResult{}, nil
}

// What is told to a byteConn between the bytes, as a command of one byte.
const (
	streamEnd   = 'E' // of what we send; see byteConn.endWriting
	streamClose = 'C' // the whole connection; see byteConn.letGo
)

// pushCommand queues a command for p's byteConn, which needs no room, and reports
// whether the consumer has to be woken; under sendMu.
func (p *peer) pushCommand(c byte) (wake bool) {
	return p.out.pushBlock(&block{b: []byte{zmtp.FlagCommand, 1, c}, msgs: 1, frames: 1, size: 3})
}

// letGo is finish for a connection from which nothing more is received.
func (p *peer) letGo() (wake bool) {
	p.gone.Store(true)
	if ss := p.sess; ss != nil {
		select {
		case ss.r.wait <- struct{}{}: // it may wait for room, which there is no need of any more
		default:
		}
	}
	return p.finish()
}

// finish closes p's connection as soon as what is queued is written, or after 30
// times Options.Linger in any case. It reports whether the consumer has to be
// woken; under sendMu.
func (p *peer) finish() (wake bool) {
	if ss := p.sess; ss != nil {
		switch linger := p.s.opts.Linger; {
		case linger == Discard:
			ss.end(errLetGo)
		case linger > 0:
			_ = ss.conn.SetWriteDeadline(time.Now().Add(lingerCap * linger))
		}
	}
	return p.pushCommand(streamClose)
}

// command calls push, which queues something for p, and wakes whom it says.
func (s *Socket) command(p *peer, push func() bool) {
	var w wakeup
	s.sendMu.Lock()
	if p.attached && push() {
		w = p.claim()
	}
	s.sendMu.Unlock()
	w.do(false)
}

// reply sends to the connection that m came from, or, with an empty frame, closes
// it.
func (t *streamPattern) reply(ctx context.Context, m Msg, frames [][]byte) error {
	p := m.lease.in.peer
	switch {
	case len(frames) != 1:
		return t.s.fail("reply", "", errOneFrame)
	case p.gone.Load():
		return t.s.fail("reply", "", ErrUnroutable)
	case len(frames[0]) > 0:
		return t.s.replyTo(ctx, p, nil, 0, frames)
	}
	t.s.command(p, func() bool {
		t.detach(p)
		return p.letGo()
	})
	return nil
}
