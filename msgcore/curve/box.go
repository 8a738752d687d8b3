package curve

import (
	"crypto/subtle"
	"encoding/binary"

	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/nacl/secretbox"
	//lint:ignore SA1019 nacl/box does not tell a public key of low order, and links blake2b
	"golang.org/x/crypto/salsa20/salsa"
)

// A boxKey is what two key pairs have in common: NaCl's precomputed key of a box.
type boxKey [32]byte

// precompute returns the key of boxes between secret and public. It is not ok if
// public has a low order, since the key would then be the same whatever secret is,
// or has the highest bit set, which no public key has and which X25519 ignores, so
// that somebody between the two sides could change it unnoticed.
func precompute(secret *SecretKey, public *PublicKey) (key boxKey, ok bool) {
	dh, err := curve25519.X25519(secret[:], public[:])
	if err != nil || public[KeySize-1]&0x80 != 0 {
		return key, false
	}
	salsa.HSalsa20((*[32]byte)(&key), &[16]byte{}, (*[32]byte)(dh), &salsa.Sigma)
	clear(dh)
	return key, true
}

// A nonce is one of NaCl, of a prefix and a part that never repeats.
type nonce [24]byte

// shortNonce is a nonce with a running number.
func shortNonce(prefix string, n uint64) *nonce {
	var out nonce
	copy(out[:16], prefix)
	binary.BigEndian.PutUint64(out[16:], n)
	return &out
}

// longNonce is a nonce with 16 random bytes.
func longNonce(prefix string, random []byte) *nonce {
	var out nonce
	copy(out[:8], prefix)
	copy(out[8:], random)
	return &out
}

// A box is a secret box of such a key, so that package nacl/box is not needed, with
// which a program would link, and start, BLAKE2b.

// seal appends the box of message to dst.
func (k *boxKey) seal(dst, message []byte, n *nonce) []byte {
	return secretbox.Seal(dst, message, (*[24]byte)(n), (*[32]byte)(k))
}

// open returns what is in sealed.
func (k *boxKey) open(sealed []byte, n *nonce) ([]byte, bool) {
	return secretbox.Open(nil, sealed, (*[24]byte)(n), (*[32]byte)(k))
}

// same compares in a time that depends on the lengths only.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// boxOverhead is by how much a box is longer than what is in it.
const boxOverhead = secretbox.Overhead
