package curve

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/curve25519"
)

// KeySize is the size of a key in bytes.
const KeySize = 32

// z85KeySize is the size of a key in characters of Z85.
const z85KeySize = KeySize / 4 * 5

// A PublicKey is a Curve25519 public key. The zero value is none.
type PublicKey [KeySize]byte

// A SecretKey is a Curve25519 secret key. The zero value is none. Package fmt
// prints it as "SecretKey(hidden)"; inside an unexported field of something that
// is printed, fmt asks no methods, so keep it out of what you print.
type SecretKey [KeySize]byte

// GenerateKey returns a new key pair.
func GenerateKey() (PublicKey, SecretKey, error) { return generateKey(rand.Reader) }

func generateKey(random io.Reader) (PublicKey, SecretKey, error) {
	var secret SecretKey
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return PublicKey{}, SecretKey{}, fmt.Errorf("curve: no random bytes for a key: %w", err)
	}
	return secret.Public(), secret, nil
}

// ParsePublicKey reads a public key of 40 characters of Z85.
func ParsePublicKey(z85 string) (PublicKey, error) {
	k, err := parseKey(z85)
	return k, err
}

// ParseSecretKey reads a secret key of 40 characters of Z85. The error does not
// quote it.
func ParseSecretKey(z85 string) (SecretKey, error) {
	k, err := parseKey(z85)
	return k, err
}

func parseKey(z85 string) (k [KeySize]byte, err error) {
	if len(z85) != z85KeySize {
		return k, fmt.Errorf("curve: key of %d characters: in Z85 it has %d", len(z85), z85KeySize)
	}
	b, err := DecodeZ85(z85)
	if err != nil {
		return k, err
	}
	copy(k[:], b)
	clear(b)
	return k, nil
}

// String returns k in Z85.
func (k PublicKey) String() string { return z85(k[:]) }

// MarshalText returns k in Z85.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is ParsePublicKey.
func (k *PublicKey) UnmarshalText(text []byte) error {
	parsed, err := ParsePublicKey(string(text))
	if err == nil {
		*k = parsed
	}
	return err
}

// Equal reports whether k and other are the same key, in a time that does not
// depend on them.
func (k PublicKey) Equal(other PublicKey) bool {
	return subtle.ConstantTimeCompare(k[:], other[:]) == 1
}

// Public returns the public key of k.
func (k SecretKey) Public() PublicKey {
	var public [KeySize]byte
	curve25519.ScalarBaseMult(&public, (*[KeySize]byte)(&k))
	return public
}

// Z85 returns k in Z85. It is not called String, so that a printed configuration
// does not disclose the key.
func (k SecretKey) Z85() string { return z85(k[:]) }

// Equal reports whether k and other are the same key, in a time that does not
// depend on them.
func (k SecretKey) Equal(other SecretKey) bool {
	return subtle.ConstantTimeCompare(k[:], other[:]) == 1
}

const hiddenKey = "SecretKey(hidden)"

// String returns "SecretKey(hidden)".
func (SecretKey) String() string { return hiddenKey }

// GoString returns "SecretKey(hidden)".
func (SecretKey) GoString() string { return hiddenKey }

// Format writes "SecretKey(hidden)", whatever the verb.
func (SecretKey) Format(s fmt.State, _ rune) { io.WriteString(s, hiddenKey) }

// MarshalText fails, so that no encoder writes a key by accident; Z85 does it on
// purpose.
func (SecretKey) MarshalText() ([]byte, error) {
	return nil, errors.New("curve: a secret key does not marshal itself: write SecretKey.Z85 if that is meant")
}

// UnmarshalText is ParseSecretKey.
func (k *SecretKey) UnmarshalText(text []byte) error {
	parsed, err := ParseSecretKey(string(text))
	if err == nil {
		*k = parsed
	}
	return err
}

// z85 returns b, whose length is a multiple of four, in Z85.
func z85(b []byte) string {
	s, _ := EncodeZ85(b)
	return s
}
