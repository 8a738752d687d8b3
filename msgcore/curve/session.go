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
	//lint:ignore SA1019 for the same reason
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

// A session seals and opens the frames of one connection. It makes NaCl's secret
// boxes in place, and derives once what all nonces of one direction have in
// common: XSalsa20 hashes the key with the first 16 bytes of a nonce, and those are
// the prefix. No frame costs an allocation or a copy but that into dst.
type session struct {
	peer zmtp.Properties
	keys *sessionKeys
	sent uint64 // used by Seal only
	seen uint64 // used by Open only
}

type sessionKeys struct{ seal, open [32]byte }

func startSession(key *boxKey, out, in string, peer zmtp.Properties, sent, seen uint64) *session {
	keys := new(sessionKeys)
	for prefix, sub := range map[string]*[32]byte{out: &keys.seal, in: &keys.open} {
		salsa.HSalsa20(sub, (*[16]byte)([]byte(prefix)), (*[32]byte)(key), &salsa.Sigma)
	}
	s := &session{peer: peer, keys: keys, sent: sent, seen: seen}
	// Nobody says when a session ends; what nobody can use any more is zeroed.
	runtime.AddCleanup(s, func(k *sessionKeys) { *k = sessionKeys{} }, keys)
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

	// The first 32 bytes of the key stream are the key of the tag. As many bytes
	// come before what is sealed: zeros there turn into that key.
	clear(b[:sealedAt])
	b[sealedAt] = 0
	switch {
	case f.Command:
		b[sealedAt] = flagCommand
	case f.More:
		b[sealedAt] = flagMore
	}
	copy(b[minMessage:], f.Body)
	var counter [16]byte
	binary.BigEndian.PutUint64(counter[:], s.sent)
	salsa.XORKeyStream(b, b, &counter, &s.keys.seal)
	key := [32]byte(b)
	var tag [16]byte
	poly1305.Sum(&tag, b[sealedAt:], &key)

	copy(b, messageName)
	binary.BigEndian.PutUint64(b[numberAt:], s.sent)
	copy(b[tagAt:], tag[:])
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
	var counter [16]byte
	binary.BigEndian.PutUint64(counter[:], number)
	var first [64]byte // of the key stream: the tag's key, and 32 bytes more
	salsa.XORKeyStream(first[:], first[:], &counter, &s.keys.open)
	key, tag := [32]byte(first[:32]), [16]byte(body[tagAt:])
	sealed := body[sealedAt:]
	if !poly1305.Verify(&tag, sealed, &key) {
		return zmtp.Frame{}, errFrame
	}
	n := subtle.XORBytes(sealed, sealed, first[32:])
	if len(sealed) > n {
		counter[8] = 1 // the next block
		salsa.XORKeyStream(sealed[n:], sealed[n:], &counter, &s.keys.open)
	}
	flags := sealed[0]
	if flags > flagCommand {
		return zmtp.Frame{}, errFrame
	}
	s.seen = number
	runtime.KeepAlive(s)
	return zmtp.Frame{More: flags == flagMore, Command: flags == flagCommand, Body: sealed[1:len(sealed):len(sealed)]}, nil
}
