package zmtp

import (
	"fmt"
	"strings"
)

// The layout of a greeting (RFC 37, Formal Grammar).
const (
	// GreetingSize is the size of a greeting of ZMTP 3 in bytes.
	GreetingSize = 64

	signatureSize = 10 // FF, eight bytes of padding, 7F
	majorAt       = 10
	minorAt       = 11
	mechanismAt   = 12
	mechanismSize = 20
	serverAt      = 32
)

// A Greeting is what each side sends first.
type Greeting struct {
	// Version is the version of the sender. ParseGreeting reports no later one
	// than 3.1: what is later greets in the same way and speaks 3.1 with us.
	Version Version
	// Mechanism names the security mechanism, in 1 to 20 bytes.
	Mechanism string
	// Server says that the sender takes the mechanism's server role. libzmq
	// always sends false.
	Server bool
}

// AppendGreeting appends g to dst. A mechanism's name over 20 bytes is cut.
func AppendGreeting(dst []byte, g Greeting) []byte {
	var b [GreetingSize]byte
	b[0] = 0xff
	// To a peer of ZMTP 1.0 the padding is the length of a long frame, which
	// libzmq sets to that of an empty routing id, and one counts the flags byte.
	b[signatureSize-2] = 1
	b[signatureSize-1] = 0x7f
	b[majorAt] = g.Version.Major
	b[minorAt] = g.Version.Minor
	copy(b[mechanismAt:mechanismAt+mechanismSize], g.Mechanism)
	if g.Server {
		b[serverAt] = 1
	}
	return append(dst, b[:]...)
}

// ParseGreeting reads the greeting that b starts with. size is GreetingSize, or 0
// if b ends too early to tell; a peer that speaks no ZMTP 3 is refused at the
// first byte that shows it, since what it sends may be shorter than a greeting.
// The error is a *ProtocolError.
func ParseGreeting(b []byte) (g Greeting, size int, err error) {
	switch {
	case len(b) == 0:
		return g, 0, nil
	case b[0] != 0xff:
		// The length of a short ZMTP 1.0 frame, or the first byte of anything.
		return g, 0, &ProtocolError{Rule: fmt.Sprintf("greeting starts with %#02x and not 0xff: the peer speaks ZMTP 1.0, which is not spoken here, or no ZMTP at all", b[0])}
	case len(b) < signatureSize:
		return g, 0, nil
	case b[signatureSize-1]&1 == 0:
		// The padding was the length of a long ZMTP 1.0 frame, and this its flags.
		return g, 0, &ProtocolError{Rule: "greeting is a long frame: the peer speaks ZMTP 1.0, which is not spoken here"}
	case b[signatureSize-1] != 0x7f:
		return g, 0, &ProtocolError{Rule: fmt.Sprintf("greeting's signature ends with %#02x and not 0x7f: the peer speaks no ZMTP", b[signatureSize-1])}
	case len(b) <= majorAt:
		return g, 0, nil
	case b[majorAt] == 0:
		return g, 0, &ProtocolError{Rule: "greeting with revision 0: the peer speaks ZMTP 1.0, which is not spoken here"}
	case b[majorAt] == 1:
		return g, 0, &ProtocolError{Rule: "greeting with revision 1: the peer speaks ZMTP 2.0, which is not spoken here"}
	case len(b) < GreetingSize:
		return g, 0, nil
	}
	g.Version = version31
	if b[majorAt] == 3 && b[minorAt] == 0 {
		g.Version = version30
	}
	// What follows the first NUL stays part of the name, so that a name with
	// something behind it equals no other.
	g.Mechanism = strings.TrimRight(string(b[mechanismAt:mechanismAt+mechanismSize]), "\x00")
	g.Server = b[serverAt]&1 != 0
	return g, GreetingSize, nil
}
