package msgcore

import (
	"github.com/solomq/solomq/msgcore/internal/trie"
)

// NewPub returns a PUB socket (RFC 29), which sends each message to every SUB
// and XSUB whose subscriptions match the beginning of its first frame. Send
// does not wait, unless Options.Pub.NoDrop asks for it: for a subscriber at its high-water mark the message is dropped
// and counted. It does not receive. Nil options mean defaults.
func NewPub(opts *Options) *Socket { return New(Pub, opts) }

type pubPattern struct {
	s *Socket

	// Guarded by sendMu.
	subs    trie.Trie[*peer]
	epoch   uint64 // of the message that is being sent
	matched []*peer
	add     func(*peer) // collects into matched
	fan     fanout      // kept for its buffers
}

func newPubPattern(s *Socket) *pubPattern {
	t := &pubPattern{s: s}
	t.add = func(p *peer) {
		if p.mark != t.epoch {
			p.mark = t.epoch
			t.matched = append(t.matched, p)
		}
	}
	return t
}

func (*pubPattern) attach(*peer) error          { return nil }
func (*pubPattern) room(*peer)                  {}
func (*pubPattern) extra() int                  { return 0 }
func (*pubPattern) recv(in *inlet, m *Msg) bool { in.pop(m, nil); return false }

func (t *pubPattern) detach(p *peer) {
	t.subs.RemoveAll(p, nil)
}

func (t *pubPattern) subscribed(p *peer, prefix []byte, on bool) {
	if on {
		t.subs.Add(prefix, p)
	} else {
		t.subs.Remove(prefix, p)
	}
}

func (t *pubPattern) subscriptions() int { return t.subs.Len() }

// send encodes o once, and appends the same bytes for every peer that matches.
func (t *pubPattern) send(o *outgoing) (r sendResult, _ error) {
	t.epoch++
	t.matched = t.matched[:0]
	t.subs.Match(o.frames[0], t.add)
	if len(t.matched) == 0 {
		return r, nil
	}
	if t.s.opts.Pub.NoDrop {
		for _, p := range t.matched {
			if !p.out.room(o.size) {
				p.out.starved = true
				return sendResult{full: true, on: p}, nil
			}
		}
	}
	t.fan.begin(o, len(t.matched))
	for i, p := range t.matched {
		t.matched[i] = nil
		t.fan.offer(t.s, p, &r)
	}
	t.fan.done()
	return r, nil
}
