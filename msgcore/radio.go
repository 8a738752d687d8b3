package msgcore

import (
	"errors"
	"slices"
)

// NewRadio returns a RADIO socket (RFC 48), which sends messages of two frames, a
// group and a body, to every DISH that has joined the group; over udp to the
// address, and a message that does not fit into a datagram is an error. Send does not wait:
// for a peer at its high-water mark the message is dropped and counted. It does
// not receive. Nil options mean defaults.
func NewRadio(opts *Options) *Socket { return New(Radio, opts) }

// maxGroup is the longest name of a group in bytes.
const maxGroup = 255

var (
	errGroupAndBody = errors.New("a message of RADIO and DISH has two frames: the group, of at most 255 bytes, and the body")
	errGroupName    = errors.New("a group's name has at most 255 bytes and no zero byte")
)

type radioPattern struct {
	s *Socket

	// Guarded by sendMu.
	groups map[string]map[*peer]struct{}
	count  int
	all    []*peer // endpoints of packets, which take every group
	fan    fanout
}

func newRadioPattern(s *Socket) *radioPattern {
	return &radioPattern{s: s, groups: map[string]map[*peer]struct{}{}}
}

func (t *radioPattern) attach(p *peer) error {
	if p.packets {
		t.all = append(t.all, p)
	}
	return nil
}

func (*radioPattern) room(*peer)                  {}
func (*radioPattern) extra() int                  { return 0 }
func (*radioPattern) recv(in *inlet, m *Msg) bool { in.pop(m, nil); return false }

func (t *radioPattern) detach(p *peer) {
	for group := range t.groups {
		t.subscribed(p, []byte(group), false)
	}
	t.all = slices.DeleteFunc(t.all, func(q *peer) bool { return q == p })
}

// subscribed is told of JOIN and LEAVE.
func (t *radioPattern) subscribed(p *peer, group []byte, on bool) {
	in := t.groups[string(group)]
	_, was := in[p]
	switch {
	case on && !was && len(group) <= maxGroup:
		if in == nil {
			in = map[*peer]struct{}{}
			t.groups[string(group)] = in
		}
		in[p] = struct{}{}
		t.count++
	case !on && was:
		delete(in, p)
		t.count--
		if len(in) == 0 {
			delete(t.groups, string(group))
		}
	}
}

func (t *radioPattern) subscriptions() int { return t.count + len(t.all) }

func (t *radioPattern) send(o *outgoing) (r sendResult, _ error) {
	if len(o.frames) != 2 || len(o.frames[0]) > maxGroup {
		return r, errGroupAndBody
	}
	for _, p := range t.all {
		if err := p.checkDatagram(1 + len(o.frames[0]) + len(o.frames[1])); err != nil {
			return r, err
		}
	}
	to := t.groups[string(o.frames[0])]
	t.fan.begin(o, len(to)+len(t.all))
	for _, p := range t.all {
		t.fan.offer(t.s, p, &r)
	}
	for p := range to {
		t.fan.offer(t.s, p, &r)
	}
	t.fan.done()
	return r, nil
}
