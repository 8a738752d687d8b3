package curve

import "io"

// SetRandom makes handshakes take their random bytes from r, until restore is
// called. Handshakes must not be under way.
func SetRandom(r io.Reader) (restore func()) {
	was := random
	random = r
	return func() { random = was }
}

// SetSent sets the number that s has sent last.
func SetSent(s any, n uint64) { s.(*session).sent = n }
