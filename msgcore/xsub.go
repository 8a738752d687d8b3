package msgcore

import "errors"

// NewXSub returns an XSUB socket (RFC 29): a SUB that also sends. It subscribes
// by Subscribe, or by sending a message of one frame that starts with the byte 1,
// and unsubscribes likewise with the byte 0; so an XPUB's messages can be passed
// on as they are. Any other message goes to every publisher that is an XPUB, or
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
	return t.wants(in, m.Frames[0])
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

// asSubscription reads a message that an XSUB sends to change its subscriptions.
func asSubscription(frames [][]byte) (prefix string, on, ok bool) {
	if len(frames) != 1 || len(frames[0]) == 0 || frames[0][0] > 1 {
		return "", false, false
	}
	return string(frames[0][1:]), frames[0][0] == 1, true
}

// passSubscription is Subscribe or Unsubscribe by a message. An end of what was
// not subscribed to is passed over: it may come from a peer's peer that is gone.
func (s *Socket) passSubscription(op, prefix string, on bool, c *sending) error {
	err := s.changeSubscription(op, prefix, on)
	if err != nil && !errors.Is(err, ErrState) {
		return err
	}
	if c.given {
		c.from.Release()
	}
	return nil
}
