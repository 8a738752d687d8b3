package msgcore

import (
	"context"
	"errors"
)

// NewXSub returns an XSUB socket (RFC 29): a SUB that also sends. It subscribes
// by Subscribe, or by sending a message that starts with the byte 1, and
// unsubscribes likewise with the byte 0; so an XPUB's messages can be passed on as
// they are. In such a message every frame that starts so counts by itself. Any
// other message goes to every publisher that is an XPUB, or
// is dropped there for one at its high-water mark, and counted. Nil options mean
// defaults.
func NewXSub(opts *Options) *Socket { return New(XSub, opts) }

type xsubPattern struct {
	subscriber
	s   *Socket
	fan fanout // guarded by sendMu
}

func (*xsubPattern) attach(*peer) error { return nil }
func (*xsubPattern) detach(*peer)       {}
func (*xsubPattern) room(*peer)         {}
func (*xsubPattern) extra() int         { return 0 }

// recv filters what comes over packets, where no publisher does.
func (t *xsubPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	return t.wants(in, m.Frames[0]) || in.refuse(DropFiltered)
}

func (t *xsubPattern) wants(in *inlet, topic []byte) bool {
	return !in.peer.packets || t.subs.Match(topic)
}

// send sends o to all peers.
func (t *xsubPattern) send(o *outgoing) (r sendResult, _ error) {
	t.fan.begin(o, len(t.s.peers))
	for p := range t.s.peers {
		if p.info.Type == Pub.String() { // it does not receive
			t.fan.left--
			continue
		}
		t.fan.offer(t.s, p, &r)
	}
	t.fan.done()
	return r, nil
}

// unwant passes on what others would keep to themselves, if it is to.
func (t *xsubPattern) unwant(prefix []byte) (tell bool, err error) {
	tell, err = t.subscriber.unwant(prefix)
	if t.s.opts.Sub.VerboseUnsubscribe {
		return true, nil
	}
	return tell, err
}

// isSubscription reports whether an XSUB changes its subscriptions by a message
// that begins with this frame.
func isSubscription(frame []byte) bool { return len(frame) > 0 && frame[0] <= 1 }

// passSubscriptions is Subscribe and Unsubscribe by a message; frames that are
// neither remain, as a message. An end of what was not subscribed to is passed
// over: it may come from a peer's peer that is gone.
func (s *Socket) passSubscriptions(ctx context.Context, op string, frames [][]byte, c *sending) error {
	var rest [][]byte
	for _, f := range frames {
		if !isSubscription(f) {
			rest = append(rest, f)
			continue
		}
		err := s.changeSubscription(op, string(f[1:]), f[0] == 1)
		if err != nil && !errors.Is(err, ErrState) {
			return err
		}
	}
	if rest != nil {
		return s.transmit(ctx, op, rest, c)
	}
	if c.given {
		c.from.Release()
	}
	return nil
}
