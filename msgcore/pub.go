package msgcore

import (
	"github.com/solomq/solomq/msgcore/internal/trie"
)

// NewPub returns a PUB socket (RFC 29), which sends each message to every SUB
// and XSUB whose subscriptions match the beginning of its first frame. Send
// does not wait, unless Options.Pub.NoDrop asks for it: for a subscriber at its high-water mark the message is dropped
// and counted. Over pgm and epgm, where nobody can subscribe, all messages go to the group, as one subscriber. It does not receive. Nil options mean defaults.
func NewPub(opts *Options) *Socket { return New(Pub, opts) }

type pubPattern struct {
	s *Socket

	// Guarded by sendMu.
	subs    trie.Trie[*peer]
	epoch   uint64 // of the message that is being sent
	matched []*peer
	add     func(*peer) // collects into matched
	invert  bool        // messages go to those that do not match; never changes
	fan     fanout      // kept for its buffers
	raw     []byte      // likewise: a small message in framing
}

func newPubPattern(s *Socket) *pubPattern {
	t := &pubPattern{s: s, invert: s.opts.InvertMatching}
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
	clear(t.matched) // p may be among them
}

func (t *pubPattern) subscribed(p *peer, prefix []byte, on bool) {
	if on {
		t.subs.Add(prefix, p)
	} else {
		t.subs.Remove(prefix, p)
	}
}

func (t *pubPattern) subscriptions() int { return t.subs.Len() }

// matching returns the peers that want topic. The list is good until the next call.
func (t *pubPattern) matching(topic []byte) []*peer {
	if peers, only := t.subs.Everywhere(); only {
		return peers
	}
	t.epoch++
	clear(t.matched)
	t.matched = t.matched[:0]
	t.subs.Match(topic, t.add)
	return t.matched
}

// full returns one of peers that has to be waited for with a message of size
// bytes, which it is marked for; nil if there is none.
func (t *pubPattern) full(peers []*peer, size int64) *peer {
	if t.s.opts.Pub.NoDrop {
		for _, p := range peers {
			if !p.out.room(size) {
				p.out.starved = true
				return p
			}
		}
	}
	return nil
}

// receivers is matching, or the other peers.
func (t *pubPattern) receivers(topic []byte) []*peer {
	if !t.invert {
		return t.matching(topic)
	}
	t.epoch++
	clear(t.matched)
	t.matched = t.matched[:0]
	t.subs.Match(topic, t.add)
	t.matched = t.matched[:0]
	for p := range t.s.peers {
		if p.mark != t.epoch {
			t.matched = append(t.matched, p)
		}
	}
	return t.matched
}

func (t *pubPattern) send(o *outgoing) (sendResult, error) {
	return t.sendTo(t.receivers(o.frames[0]), o)
}

// sendTo encodes o once, and appends the same bytes for every one of peers.
func (t *pubPattern) sendTo(peers []*peer, o *outgoing) (r sendResult, _ error) {
	if len(peers) == 0 {
		return r, nil
	}
	if p := t.full(peers, o.size); p != nil {
		return sendResult{full: true, on: p}, nil
	}
	t.fan.begin(o, len(peers))
	for _, p := range peers {
		t.fan.offer(t.s, p, &r)
	}
	t.fan.done()
	return r, nil
}

// sendSmall is send of frames that go into a slab, where they take size bytes. It
// returns false, and has done nothing, if it would have to wait.
func (t *pubPattern) sendSmall(frames [][]byte, size int, woken []wakeup) (bool, []wakeup) {
	peers := t.matching(frames[0])
	if t.full(peers, int64(size)) != nil {
		return false, woken
	}
	var raw []byte
	for _, p := range peers {
		if !p.out.room(int64(size)) {
			p.drop(DropFull)
			continue
		}
		var wake bool
		switch {
		case len(peers) == 1:
			wake = p.out.pushFrames(frames, size)
		case raw == nil:
			t.raw = appendFrames(t.raw[:0], frames)
			raw = t.raw
			fallthrough
		default:
			wake = p.out.pushRaw(raw, len(frames))
		}
		switch {
		case !wake:
		case p.twin != nil: // whose lock comes before ours
			woken = append(woken, p.claim())
		default:
			p.claim().do(false)
		}
	}
	return true, woken
}
