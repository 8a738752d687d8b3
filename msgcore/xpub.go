package msgcore

// NewXPub returns an XPUB socket (RFC 29): a PUB that also receives. A
// subscription to a prefix that nobody had comes as a message of one frame, the
// byte 1 and the prefix, and its end, when nobody has it any more, as the byte 0
// and the prefix; see Options.Pub for more of them, and for subscriptions that
// the application decides about. Messages that XSUB peers send come as they are,
// but for those whose first frame starts with a byte 0 or 1: of these every frame
// that does is a subscription or the end of one. Nil options mean defaults.
func NewXPub(opts *Options) *Socket { return New(XPub, opts) }

// An xpubPattern writes notes for its application while sendMu is held, into a
// pipe that sendMu guards; Socket.wakeNotes makes them known.
type xpubPattern struct{ *pubPattern }

// attach begins with the message of Options.Welcome, which needs no room.
func (t *xpubPattern) attach(p *peer) error {
	if m := t.s.opts.Welcome; m != nil {
		p.out.pushFront(oneBlock([][]byte{m}))
	}
	return nil
}

func newXPubPattern(s *Socket) *xpubPattern {
	notes := newPipe(&s.sendMu, 0, 0)
	notes.live = true
	s.notes = &inlet{pipe: notes, info: &PeerInfo{}}
	return &xpubPattern{newPubPattern(s)}
}

func (t *xpubPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	return true
}

func (t *xpubPattern) subscribed(p *peer, prefix []byte, on bool) {
	o := &t.s.opts.Pub
	if on {
		if t.subs.Add(prefix, p) || o.Verbose || o.Verboser {
			t.note(1, prefix)
		}
		return
	}
	if _, last := t.subs.Remove(prefix, p); last || o.Verboser {
		t.note(0, prefix)
	}
}

func (t *xpubPattern) detach(p *peer) {
	clear(t.matched)
	t.subs.RemoveAll(p, func(prefix []byte, last bool) {
		if last || t.s.opts.Pub.Verboser {
			t.note(0, prefix)
		}
	})
}

// note queues a message for the application.
func (t *xpubPattern) note(kind byte, prefix []byte) {
	b := oneBlock([][]byte{append([]byte{kind}, prefix...)})
	if t.s.notes.pushBlock(&b) {
		t.s.noted.Store(true)
	}
}
