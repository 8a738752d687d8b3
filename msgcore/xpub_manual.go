package msgcore

import (
	"errors"
	"slices"

	"github.com/solomq/solomq/msgcore/internal/trie"
)

// A manualPattern is an XPUB whose application decides about subscriptions
// (Options.Pub.Manual): it receives what its peers ask for, all of it, and
// subscribes each of them as it sees fit.
type manualPattern struct {
	*xpubPattern

	// Guarded by sendMu.
	asked trie.Trie[*peer] // what peers have asked for
	about []*peer          // whom the notes that wait are about; nil: one that is gone
	last  *peer            // whom the note is about that was received last; nil if gone
	noted bool             // one was received
	only  *peer            // the next message is for it alone (ManualLastValue); or nil
}

var errNoAsker = errors.New("no subscription was received that this could be the answer to: Recv one first")

func (t *manualPattern) subscribed(p *peer, prefix []byte, on bool) {
	switch {
	case p.packets: // nobody can ask
		t.xpubPattern.subscribed(p, prefix, on)
		return
	case on:
		t.asked.Add(prefix, p)
		t.tell(p, 1, prefix)
	default:
		t.asked.Remove(prefix, p)
		t.tell(p, 0, prefix)
	}
}

func (t *manualPattern) tell(p *peer, kind byte, prefix []byte) {
	t.note(kind, prefix)
	t.about = append(t.about, p)
}

// detach takes back what p has asked for, and what it was given.
func (t *manualPattern) detach(p *peer) {
	t.pubPattern.detach(p)
	t.asked.RemoveAll(p, func(prefix []byte, _ bool) { t.tell(nil, 0, prefix) })
	if t.last == p {
		t.last = nil
	}
	if t.only == p {
		t.only = nil
	}
}

func (t *manualPattern) recv(in *inlet, m *Msg) bool {
	if in == t.s.notes {
		t.s.sendMu.Lock()
		t.last, t.noted = t.about[0], true
		t.about[0] = nil
		t.about = t.about[1:]
		if t.last != nil && !t.last.attached {
			t.last = nil
		}
		t.s.sendMu.Unlock()
	}
	return t.xpubPattern.recv(in, m)
}

// change subscribes the peer of the last note, or undoes that. One that is gone
// is passed over: the application could not know.
func (t *manualPattern) change(op, prefix string, on bool) error {
	s := t.s
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	switch {
	case s.closed:
		return s.fail(op, "", errClosed)
	case !t.noted:
		return s.fail(op, "", stateError{errNoAsker})
	case t.last == nil:
	case on:
		t.subs.Add([]byte(prefix), t.last)
		if s.opts.Pub.ManualLastValue {
			t.only = t.last
		}
	default:
		t.subs.Remove([]byte(prefix), t.last)
	}
	s.changed.wakeAll()
	return nil
}

func (t *manualPattern) send(o *outgoing) (sendResult, error) {
	peers := t.receivers(o.frames[0])
	if t.only != nil {
		if !slices.Contains(peers, t.only) {
			peers = nil
		} else {
			peers = []*peer{t.only}
		}
	}
	r, err := t.sendTo(peers, o)
	if !r.full {
		t.only = nil
	}
	return r, err
}
