package curve

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// Name is the name of the mechanism in greetings and in zmtp.AuthRequest.
const Name = "CURVE"

// The prefixes of nonces (RFC 26, CurveZMQ nonces).
const (
	prefixHello    = "CurveZMQHELLO---"
	prefixWelcome  = "WELCOME-"
	prefixCookie   = "COOKIE--"
	prefixInitiate = "CurveZMQINITIATE"
	prefixVouch    = "VOUCH---"
	prefixReady    = "CurveZMQREADY---"
	prefixClient   = "CurveZMQMESSAGEC" // of MESSAGE, from a client
	prefixServer   = "CurveZMQMESSAGES"
)

// Sizes in the data of commands, in bytes (RFC 26).
const (
	shortSize  = 8  // the part of a nonce that is sent
	longSize   = 16 // the same, where it is random
	padSize    = 72 // in HELLO, so that it is longer than the WELCOME it asks for
	zeroSize   = 64 // sealed in HELLO
	helloSize  = 2 + padSize + KeySize + shortSize + boxOverhead + zeroSize
	cookieSize = longSize + boxOverhead + 2*KeySize
	welcomeBox = boxOverhead + KeySize + cookieSize
	vouchSize  = boxOverhead + 2*KeySize

	// of the data without the peer's properties
	initiateSize = cookieSize + shortSize + boxOverhead + KeySize + longSize + vouchSize
	readySize    = shortSize + boxOverhead
)

// random is where key pairs, nonces and cookies of handshakes come from.
var random io.Reader = system{}

// system reads what crypto/rand has.
type system struct{}

func (system) Read(b []byte) (int, error) { return rand.Reader.Read(b) }

// refused is the error for a command that is not what it should be, in whichever
// way: saying more would help whoever is guessing.
func refused(command string) error {
	return &zmtp.ProtocolError{Rule: fmt.Sprintf(
		"the peer's %s of CURVE is refused: it is not for this side's keys, or is damaged; compare the public keys that both sides are given", command)}
}

// read reads the command whose turn it is, if it has min bytes of data at least
// and max at most; no max is 0.
func read(c zmtp.HandshakeConn, name string, min, max int) ([]byte, error) {
	cmd, err := c.ReadCommand()
	if err != nil {
		return nil, err
	}
	if cmd.Name != name || len(cmd.Data) < min || max > 0 && len(cmd.Data) > max {
		return nil, refused(name)
	}
	return cmd.Data, nil
}

func readNonce(b []byte) uint64 { return binary.BigEndian.Uint64(b[:shortSize]) }

// fill makes b random.
func fill(b []byte) error {
	if _, err := io.ReadFull(random, b); err != nil {
		return fmt.Errorf("zmtp: no random bytes for a handshake of CURVE: %w", err)
	}
	return nil
}

// newSession returns the session of one side. Both know the key of the session's
// boxes; sent and seen are the last numbers of the handshake.
func newSession(key *boxKey, server bool, peer zmtp.Properties, sent, seen uint64) zmtp.Session {
	out, in := prefixClient, prefixServer
	if server {
		out, in = in, out
	}
	return startSession(key, out, in, peer, sent, seen)
}
