package msgcore

import (
	"errors"

	"github.com/solomq/solomq/msgcore/internal/trie"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// NewSub returns a SUB socket (RFC 29), which receives from PUB and XPUB sockets
// the messages whose first frame starts with one of its subscriptions. It has
// none at first; Subscribe("") is for everything. A peer that connects later, or
// again, is told all of them. It does not send. Nil options mean defaults.
func NewSub(opts *Options) *Socket { return New(Sub, opts) }

type subPattern struct {
	subscriber
	s *Socket
}

// A subscriber keeps the subscriptions of SUB and XSUB; guarded by recvMu.
type subscriber struct{ subs trie.Counter }

// want tells of every subscription, also of one that is there already: an XPUB
// with Options.Pub.Verbose wants to hear of each.
func (t *subscriber) want(prefix []byte) (tell bool, err error) {
	t.subs.Add(prefix)
	return true, nil
}

func (t *subscriber) unwant(prefix []byte) (last bool, err error) {
	had, last := t.subs.Remove(prefix)
	if !had {
		return false, stateError{errNoSubscription}
	}
	return last, nil
}

func (t *subscriber) resume(each func(prefix []byte)) { t.subs.All(each) }

func (t *subscriber) announce(dst, prefix []byte, on bool, v zmtp.Version) []byte {
	if on {
		return zmtp.AppendSubscribe(dst, prefix, v)
	}
	return zmtp.AppendCancel(dst, prefix, v)
}

func newSubPattern(s *Socket) *subPattern { return &subPattern{s: s} }

func (*subPattern) attach(*peer) error { return nil }
func (*subPattern) detach(*peer)       {}
func (*subPattern) room(*peer)         {}
func (*subPattern) extra() int         { return 0 }

func (*subPattern) send(*outgoing) (sendResult, error) {
	return sendResult{}, errors.ErrUnsupported
}

// recv filters once more what the publisher has filtered: messages may be under
// way that were sent before it heard of an Unsubscribe.
func (t *subPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	return t.wants(in, m.Frames[0]) || in.refuse(DropFiltered)
}

func (t *subPattern) wants(_ *inlet, topic []byte) bool { return t.subs.Match(topic) }

// An invertedSub wants what matches none of its subscriptions.
type invertedSub struct{ *subPattern }

func (t *invertedSub) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	return t.wants(in, m.Frames[0]) || in.refuse(DropFiltered)
}

func (t *invertedSub) wants(_ *inlet, topic []byte) bool { return !t.subs.Match(topic) }

// Subscribe adds a subscription to the messages whose first frame starts with
// prefix; the empty one is all messages. Subscribing twice needs unsubscribing
// twice. SUB and XSUB only; on an XPUB with Options.Pub.Manual it subscribes the
// peer whose subscription was received last.
func (s *Socket) Subscribe(prefix string) error {
	return s.changeTopic("subscribe", prefix, true)
}

// Unsubscribe takes back one Subscribe of the same prefix; a prefix that is not
// subscribed to is ErrState. SUB and XSUB only, and as Subscribe on an XPUB.
func (s *Socket) Unsubscribe(prefix string) error {
	return s.changeTopic("unsubscribe", prefix, false)
}

// changeTopic is changeSubscription for those that subscribe by prefix.
func (s *Socket) changeTopic(op, prefix string, on bool) error {
	if s.typ == Dish && s.optErr == nil {
		return s.fail(op, "", errors.ErrUnsupported)
	}
	if t, ok := s.pat.(*manualPattern); ok {
		return t.change(op, prefix, on)
	}
	return s.changeSubscription(op, prefix, on)
}

var errNoSubscription = errors.New("no such subscription")

// changeSubscription wants what starts with prefix, or is of that group, or wants
// it no more, and tells the peers if that is new.
func (s *Socket) changeSubscription(op, prefix string, on bool) error {
	if s.optErr != nil {
		return s.optErr
	}
	t, ok := s.pat.(subscribing)
	if !ok {
		return s.fail(op, "", errors.ErrUnsupported)
	}
	b := []byte(prefix)
	s.recvMu.Lock()
	defer s.recvMu.Unlock() // held throughout, so that peers hear of changes in order
	if s.closed {
		return s.fail(op, "", errClosed)
	}
	change := t.want
	if !on {
		change = t.unwant
	}
	if tell, err := change(b); err != nil {
		return s.fail(op, "", err)
	} else if !tell {
		return nil
	}
	s.sendMu.Lock()
	var twins []*peer
	for p := range s.peers {
		if p.twin != nil {
			if p.told { // or it hears of this one with all others
				twins = append(twins, p.twin)
			}
		} else if p.sess != nil {
			p.sess.addControl(func(c []byte) []byte {
				return t.announce(c, b, on, p.sess.version)
			}).do(false)
		}
	}
	s.sendMu.Unlock()
	for _, twin := range twins {
		twin.hearSubscription(b, on)
	}
	return nil
}

// hearSubscription is called when p has subscribed to us, or not any more.
func (p *peer) hearSubscription(prefix []byte, on bool) {
	s := p.s
	t, ok := s.pat.(publishing)
	if !ok {
		return
	}
	s.sendMu.Lock()
	if p.attached {
		t.subscribed(p, prefix, on)
		s.changed.wakeAll()
	}
	s.sendMu.Unlock()
	s.wakeNotes()
}
