package curve

import (
	"io"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// SetRandom makes handshakes take their random bytes from r, until restore is
// called. Handshakes must not be under way.
func SetRandom(r io.Reader) (restore func()) {
	was := random
	random = r
	return func() { random = was }
}

// SetSent sets the number that s has sent last.
func SetSent(s zmtp.Session, n uint64) { s.(*session).sent = n }

// Precompute is precompute.
func Precompute(secret SecretKey, public PublicKey) ([32]byte, bool) {
	return precompute(&secret, &public)
}

// NewSession is newSession, before the first frame.
func NewSession(key [32]byte, server bool) zmtp.Session {
	return newSession((*boxKey)(&key), server, nil, 0, 0)
}

// RoundTripZPL parses text, writes what it was and returns that, with its names and
// values.
func RoundTripZPL(text string) (written string, values []string, err error) {
	root, err := parseZPL(text)
	if err != nil {
		return "", nil, err
	}
	written, err = root.text()
	return written, root.list(nil), err
}

func (n *zplNode) list(values []string) []string {
	for _, c := range n.children {
		values = append(c.list(append(values, "(", c.name, c.value)), ")")
	}
	return values
}

// ParseCertificate is parseCertificate.
var ParseCertificate = parseCertificate

// KeysOf returns a function that tells whether the keys of s are zero. It does not
// keep s.
func KeysOf(s zmtp.Session) (zeroed func() bool) {
	keys := s.(*session).keys
	made := keys.seal.heads
	return func() bool { return *keys == sessionKeys{} && (made == nil || *made == [headCount]head{}) }
}
