package curve

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// Client returns the client's side, which has the key pair of key and talks to the
// server with the public key server and to nobody else. Printing it does not
// disclose the key.
func Client(key SecretKey, server PublicKey) zmtp.Mechanism {
	id := &clientIdentity{secret: key, public: key.Public(), server: server}
	return client{func() *clientIdentity { return id }}
}

type clientIdentity struct {
	secret         SecretKey
	public, server PublicKey
}

// A client has its keys in a function: package fmt calls no method of what lies in
// an unexported field of something, but does not look into functions.
type client struct{ identity func() *clientIdentity }

func (client) Name() string { return Name }
func (client) Server() bool { return false }

// Format keeps the keys out of whatever is printed.
func (client) Format(s fmt.State, _ rune) { io.WriteString(s, "curve.Client(hidden)") }

var errNoKey = errors.New("zmtp: CURVE without a secret key: give the mechanism one that GenerateKey made")

// Handshake implements zmtp.Mechanism (RFC 26, from HELLO to READY).
func (m client) Handshake(_ context.Context, c zmtp.HandshakeConn, local zmtp.Properties) (zmtp.Session, error) {
	id := m.identity()
	if id.secret == (SecretKey{}) {
		return nil, errNoKey
	}
	shortPublic, shortSecret, err := generateKey(random)
	if err != nil {
		return nil, err
	}
	defer clear(shortSecret[:])
	toServer, ok := precompute(&shortSecret, &id.server) // C' and S
	defer clear(toServer[:])
	if !ok {
		return nil, errors.New("zmtp: CURVE without a server's public key: give curve.Client the server's")
	}

	hello := make([]byte, 0, helloSize)
	hello = append(hello, 1, 0) // the version of CurveZMQ
	hello = append(hello, make([]byte, padSize)...)
	hello = append(hello, shortPublic[:]...)
	hello = binary.BigEndian.AppendUint64(hello, 1)
	hello = toServer.seal(hello, make([]byte, zeroSize), shortNonce(prefixHello, 1))
	if err := c.WriteCommand(zmtp.Command{Name: zmtp.CommandHello, Data: hello}); err != nil {
		return nil, err
	}

	data, err := read(c, zmtp.CommandWelcome, longSize+welcomeBox, longSize+welcomeBox)
	if err != nil {
		return nil, err
	}
	welcome, ok := toServer.open(data[longSize:], longNonce(prefixWelcome, data[:longSize]))
	if !ok {
		return nil, refused(zmtp.CommandWelcome)
	}
	serverShort, cookie := PublicKey(welcome[:KeySize]), welcome[KeySize:]
	session, ok := precompute(&shortSecret, &serverShort) // C' and S'
	defer clear(session[:])
	if !ok {
		return nil, refused(zmtp.CommandWelcome)
	}
	plain, err := id.initiate(&shortPublic, &serverShort, local)
	if err != nil {
		return nil, err
	}
	initiate := append(make([]byte, 0, initiateSize), cookie...)
	initiate = binary.BigEndian.AppendUint64(initiate, 2)
	initiate = session.seal(initiate, plain, shortNonce(prefixInitiate, 2))
	if err := c.WriteCommand(zmtp.Command{Name: zmtp.CommandInitiate, Data: initiate}); err != nil {
		return nil, err
	}

	data, err = read(c, zmtp.CommandReady, readySize, 0)
	if err != nil {
		return nil, err
	}
	seen := readNonce(data)
	metadata, ok := session.open(data[shortSize:], shortNonce(prefixReady, seen))
	if !ok {
		return nil, refused(zmtp.CommandReady)
	}
	peer, err := zmtp.ParseProperties(metadata)
	if err != nil {
		return nil, refused(zmtp.CommandReady)
	}
	if err := c.Check(peer); err != nil {
		return nil, err
	}
	return newSession(&session, false, peer, 2, seen), nil
}

// initiate returns what the box of INITIATE holds: who the client is, its vouch
// that the short-term key is its own, and its properties.
func (id *clientIdentity) initiate(shortPublic, serverShort *PublicKey, local zmtp.Properties) ([]byte, error) {
	key, ok := precompute(&id.secret, serverShort) // C and S'
	defer clear(key[:])
	if !ok {
		return nil, refused(zmtp.CommandWelcome)
	}
	var random [longSize]byte
	if err := fill(random[:]); err != nil {
		return nil, err
	}
	vouch := append(append(make([]byte, 0, 2*KeySize), shortPublic[:]...), id.server[:]...)
	plain := append([]byte(nil), id.public[:]...)
	plain = append(plain, random[:]...)
	plain = key.seal(plain, vouch, longNonce(prefixVouch, random[:]))
	return zmtp.AppendProperties(plain, local), nil
}
