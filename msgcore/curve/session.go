package curve

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"slices"

	//lint:ignore SA1019 secretbox can neither seal in place nor keep what its nonces have in common
	"golang.org/x/crypto/poly1305"
	//lint:ignore SA1019 for the same reason, to hash what they have in common
	"golang.org/x/crypto/salsa20/salsa"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// The body of a MESSAGE (RFC 26): its name, the number of the nonce, the box's tag,
// and sealed a byte of flags and the frame's body.
const (
	messageName = "\x07MESSAGE"
	numberAt    = len(messageName)
	tagAt       = numberAt + shortSize
	sealedAt    = tagAt + boxOverhead
	minMessage  = sealedAt + 1

	flagMore    = 1
	flagCommand = 2 // not zmtp.FlagCommand, which is 4
)

// A session seals and opens the frames of one connection; see stream. No frame
// costs an allocation or a copy but that into dst.
type session struct {
	peer zmtp.Properties
	keys *sessionKeys
	sent uint64 // used by Seal only
	seen uint64 // used by Open only
}

type sessionKeys struct{ seal, open stream }

func startSession(key *boxKey, out, in string, peer zmtp.Properties, sent, seen uint64) *session {
	keys := new(sessionKeys)
	for prefix, sub := range map[string]*stream{out: &keys.seal, in: &keys.open} {
		salsa.HSalsa20(&sub.key, (*[16]byte)([]byte(prefix)), (*[32]byte)(key), &salsa.Sigma)
	}
	s := &session{peer: peer, keys: keys, sent: sent, seen: seen}
	// Nobody says when a session ends; what nobody can use any more is zeroed.
	runtime.AddCleanup(s, func(k *sessionKeys) {
		k.seal.forget()
		k.open.forget()
	}, keys)
	return s
}

// Peer implements zmtp.Session.
func (s *session) Peer() zmtp.Properties { return s.peer }

var errWornOut = errors.New("zmtp: CURVE has no numbers left for this connection: connect again")

// Seal implements zmtp.Session. It allocates only if dst has no room.
func (s *session) Seal(dst []byte, f zmtp.Frame) ([]byte, error) {
	if s.sent == math.MaxUint64 {
		return dst, errWornOut
	}
	s.sent++
	n := minMessage + len(f.Body)
	dst = zmtp.AppendHeader(dst, 0, n)
	at := len(dst)
	dst = slices.Grow(dst, n)[:at+n]
	b := dst[at:]

	var flags byte
	switch {
	case f.Command:
		flags = flagCommand
	case f.More:
		flags = flagMore
	}
	h := s.keys.seal.head(s.sent)
	b[sealedAt] = flags ^ h[32]
	body := b[minMessage:]
	k := subtle.XORBytes(body, f.Body, h[33:])
	if k < len(body) {
		s.keys.seal.xor(body[k:], f.Body[k:], s.sent)
	}
	copy(b, messageName)
	binary.BigEndian.PutUint64(b[numberAt:], s.sent)
	poly1305.Sum((*[boxOverhead]byte)(b[tagAt:]), b[sealedAt:], (*[32]byte)(h[:32]))
	runtime.KeepAlive(s) // and with it the keys, as they are
	return dst, nil
}

var errFrame = &zmtp.ProtocolError{Rule: "a frame of CURVE is refused: it was damaged, forged, repeated or is out of order"}

// Open implements zmtp.Session. The frame's body is a part of body.
func (s *session) Open(body []byte) (zmtp.Frame, error) {
	if len(body) < minMessage || string(body[:numberAt]) != messageName {
		return zmtp.Frame{}, errFrame
	}
	number := binary.BigEndian.Uint64(body[numberAt:])
	if number <= s.seen {
		return zmtp.Frame{}, errFrame
	}
	h := s.keys.open.head(number)
	sealed := body[sealedAt:]
	if !poly1305.Verify((*[boxOverhead]byte)(body[tagAt:]), sealed, (*[32]byte)(h[:32])) {
		return zmtp.Frame{}, errFrame
	}
	n := subtle.XORBytes(sealed, sealed, h[32:])
	if len(sealed) > n {
		s.keys.open.xor(sealed[n:], sealed[n:], number)
	}
	flags := sealed[0]
	if flags > flagCommand {
		return zmtp.Frame{}, errFrame
	}
	s.seen = number
	runtime.KeepAlive(s)
	return zmtp.Frame{More: flags == flagMore, Command: flags == flagCommand, Body: sealed[1:len(sealed):len(sealed)]}, nil
}
