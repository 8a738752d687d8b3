package curve

import (
	"crypto/subtle"
	"encoding/binary"
	"math/bits"

	//lint:ignore SA1019 no other package makes Salsa20 of a key that HSalsa20 has derived
	"golang.org/x/crypto/salsa20/salsa"
)

// What a session seals and opens are the secret boxes of NaCl: XSalsa20 and
// Poly1305. XSalsa20 first hashes the key with 16 bytes of the nonce, and those are
// always the same in one direction, so that this is done once; the rest of the
// nonce is the message's number. And because the next numbers are known, the
// beginnings of the key streams of several messages are made at once, which for
// short ones is all there is: that is how a processor's wide registers are filled.

// A head is the beginning of the key stream of one message: the key of its tag, and
// what covers its flags and the beginning of its body.
type head [headBlocks * 64]byte

const (
	headBlocks = 2
	headCount  = 8 // made at once
	headBody   = headBlocks*64 - 32 - 1

	tailUnit  = 512 // bytes, of 8 blocks
	tailChunk = 4 * tailUnit
)

// A stream is the key stream of one direction.
type stream struct {
	key   [32]byte
	first uint64 // number of the message that heads[0] is for
	count int    // of heads
	heads *[headCount]head
}

// head returns the head of the message with the given number. It is valid until
// the next call.
func (s *stream) head(number uint64) *head {
	if number-s.first >= uint64(s.count) || number < s.first {
		if s.heads == nil {
			s.heads = new([headCount]head)
		}
		s.first = number
		s.count = heads(s.heads, &s.key, number)
	}
	return &s.heads[number-s.first]
}

// xor covers or uncovers src, which is what comes behind a message's head, in dst.
func (s *stream) xor(dst, src []byte, number uint64) {
	var chunk [tailChunk]byte
	for block := uint64(headBlocks); len(src) > 0; block += tailChunk / 64 {
		n := min(len(src), len(chunk))
		tail(chunk[:(n+tailUnit-1)/tailUnit*tailUnit], &s.key, number, block)
		subtle.XORBytes(dst, src, chunk[:n])
		dst, src = dst[n:], src[n:]
	}
	clear(chunk[:])
}

// forget zeroes everything.
func (s *stream) forget() {
	if s.heads != nil {
		clear(s.heads[:])
	}
	*s = stream{}
}

// swapped is a number as Salsa20 reads the words of a nonce that has it in the
// order of the network.
func swapped(number uint64) uint64 { return bits.ReverseBytes64(number) }

func genericHeads(dst *[headCount]head, key *[32]byte, number uint64) (count int) {
	genericTail(dst[0][:], key, number, 0)
	return 1
}

func genericTail(dst []byte, key *[32]byte, number, block uint64) {
	var counter [16]byte
	binary.BigEndian.PutUint64(counter[:], number)
	binary.LittleEndian.PutUint64(counter[8:], block)
	clear(dst)
	salsa.XORKeyStream(dst, dst, &counter, key)
}
