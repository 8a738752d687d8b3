package msgcore

import (
	"errors"
	"strings"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// NewDish returns a DISH socket (RFC 48), which receives from RADIO sockets the
// messages of the groups that it has joined: two frames, the group and the body.
// It is in none at first. A peer that connects later, or again, is told all of
// them. It does not send. Nil options mean defaults.
func NewDish(opts *Options) *Socket { return New(Dish, opts) }

type dishPattern struct {
	s      *Socket
	groups map[string]bool // guarded by recvMu
}

func (*dishPattern) attach(*peer) error { return nil }
func (*dishPattern) detach(*peer)       {}
func (*dishPattern) room(*peer)         {}
func (*dishPattern) extra() int         { return 0 }

func (*dishPattern) send(*outgoing) (sendResult, error) {
	return sendResult{}, errors.ErrUnsupported
}

// recv filters once more: a message may be under way that was sent before the
// peer heard of a Leave.
func (t *dishPattern) recv(in *inlet, m *Msg) bool {
	in.pop(m, nil)
	switch {
	case len(m.Frames) != 2:
		return in.refuse(DropMalformed)
	case !t.groups[string(m.Frames[0])]:
		return in.refuse(DropFiltered)
	}
	return true
}

func (t *dishPattern) want(group []byte) (first bool, err error) {
	if t.groups[string(group)] {
		return false, stateError{errors.New("the group is joined already")}
	}
	t.groups[string(group)] = true
	return true, nil
}

func (t *dishPattern) unwant(group []byte) (last bool, err error) {
	if !t.groups[string(group)] {
		return false, stateError{errors.New("the group is not joined")}
	}
	delete(t.groups, string(group))
	return true, nil
}

func (t *dishPattern) resume(each func(group []byte)) {
	for g := range t.groups {
		each([]byte(g))
	}
}

func (t *dishPattern) announce(dst, group []byte, on bool, _ zmtp.Version) []byte {
	if on {
		return zmtp.AppendCommand(dst, zmtp.CommandJoin, group)
	}
	return zmtp.AppendCommand(dst, zmtp.CommandLeave, group)
}

// Join joins a group, of at most 255 bytes; one that is joined already is
// ErrState. DISH only.
func (s *Socket) Join(group string) error { return s.changeGroup("join", group, true) }

// Leave leaves a group; one that is not joined is ErrState. DISH only.
func (s *Socket) Leave(group string) error { return s.changeGroup("leave", group, false) }

func (s *Socket) changeGroup(op, group string, on bool) error {
	switch {
	case s.optErr != nil:
		return s.optErr
	case s.typ != Dish:
		return s.fail(op, "", errors.ErrUnsupported)
	case len(group) > maxGroup || strings.IndexByte(group, 0) >= 0:
		return s.fail(op, "", errGroupName)
	}
	return s.changeSubscription(op, group, on)
}
