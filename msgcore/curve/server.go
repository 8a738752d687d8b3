package curve

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/crypto/nacl/secretbox"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// Server returns the server's side, which has the key pair of key. Authorize is
// given the client's public key, of KeySize bytes, once the client has shown that
// it has the secret one; without Authorize every client is admitted that knows the
// server's public key. Printing it does not disclose the key.
func Server(key SecretKey) zmtp.Mechanism {
	id := &serverIdentity{secret: key, public: key.Public()}
	return server{func() *serverIdentity { return id }}
}

type serverIdentity struct {
	secret SecretKey
	public PublicKey
}

// A server has its keys in a function for the same reason as a client.
type server struct{ identity func() *serverIdentity }

func (server) Name() string { return Name }
func (server) Server() bool { return true }

// Format keeps the keys out of whatever is printed.
func (server) Format(s fmt.State, _ rune) { io.WriteString(s, "curve.Server(hidden)") }

// A cookieKey is all that a server knows of a connection between WELCOME and
// INITIATE, beside the number in HELLO. It is made for one connection, so that a
// cookie is of no use on another.
type cookieKey [32]byte

// Handshake implements zmtp.Mechanism (RFC 26, from HELLO to READY).
func (m server) Handshake(ctx context.Context, c zmtp.HandshakeConn, local zmtp.Properties) (zmtp.Session, error) {
	id := m.identity()
	if id.secret == (SecretKey{}) {
		return nil, errNoKey
	}
	var cookie cookieKey
	defer clear(cookie[:])
	hello, err := id.welcome(c, &cookie)
	if err != nil {
		return nil, err
	}
	data, err := read(c, zmtp.CommandInitiate, initiateSize, 0)
	if err != nil {
		return nil, err
	}
	in, ok := id.initiated(data, &cookie, hello)
	defer clear(in.session[:])
	if !ok {
		return nil, refused(zmtp.CommandInitiate)
	}
	if err := c.Authorize(ctx, in.client[:]); err != nil {
		return nil, err
	}
	if err := c.Check(in.peer); err != nil {
		return nil, err
	}
	ready := binary.BigEndian.AppendUint64(nil, 1)
	ready = in.session.seal(ready, zmtp.AppendProperties(nil, local), shortNonce(prefixReady, 1))
	if err := c.WriteCommand(zmtp.Command{Name: zmtp.CommandReady, Data: ready}); err != nil {
		return nil, err
	}
	return newSession(&in.session, true, in.peer, 1, in.number), nil
}

// welcome reads HELLO and answers it. It returns the number in HELLO and sets
// cookie; everything else is forgotten.
func (id *serverIdentity) welcome(c zmtp.HandshakeConn, cookie *cookieKey) (number uint64, err error) {
	data, err := read(c, zmtp.CommandHello, helloSize, helloSize)
	if err != nil {
		return 0, err
	}
	client := PublicKey(data[2+padSize:])
	sealed := data[2+padSize+KeySize:]
	number = readNonce(sealed)
	toClient, known := precompute(&id.secret, &client) // C' and S
	defer clear(toClient[:])
	zeros, opened := toClient.open(sealed[shortSize:], shortNonce(prefixHello, number))
	ok := known && opened && same(zeros, make([]byte, zeroSize))
	ok = same(data[:2+padSize], append([]byte{1, 0}, make([]byte, padSize)...)) && ok
	if !ok {
		return 0, refused(zmtp.CommandHello)
	}

	shortPublic, shortSecret, err := generateKey(random)
	if err != nil {
		return 0, err
	}
	defer clear(shortSecret[:])
	var nonces [2][longSize]byte
	for _, b := range [][]byte{cookie[:], nonces[0][:], nonces[1][:]} {
		if err := fill(b); err != nil {
			return 0, err
		}
	}
	plain := append(append(make([]byte, 0, 2*KeySize), client[:]...), shortSecret[:]...)
	defer clear(plain)
	inner := append(make([]byte, 0, KeySize+cookieSize), shortPublic[:]...)
	inner = append(inner, nonces[0][:]...)
	inner = secretbox.Seal(inner, plain, (*[24]byte)(longNonce(prefixCookie, nonces[0][:])), (*[32]byte)(cookie))
	welcome := append(make([]byte, 0, longSize+welcomeBox), nonces[1][:]...)
	welcome = toClient.seal(welcome, inner, longNonce(prefixWelcome, nonces[1][:]))
	return number, c.WriteCommand(zmtp.Command{Name: zmtp.CommandWelcome, Data: welcome})
}

// initiation is what a server learns from INITIATE.
type initiation struct {
	client  PublicKey // C, proved by the vouch
	session boxKey    // of C' and S'
	peer    zmtp.Properties
	number  uint64
}

// initiated opens the data of an INITIATE that follows a HELLO with the given
// number.
func (id *serverIdentity) initiated(data []byte, cookie *cookieKey, hello uint64) (in initiation, ok bool) {
	secrets, ok := secretbox.Open(nil, data[longSize:cookieSize], (*[24]byte)(longNonce(prefixCookie, data[:longSize])), (*[32]byte)(cookie))
	if !ok {
		return in, false
	}
	defer clear(secrets)
	short, shortSecret := PublicKey(secrets[:KeySize]), SecretKey(secrets[KeySize:])
	defer clear(shortSecret[:])
	if in.session, ok = precompute(&shortSecret, &short); !ok {
		return in, false
	}
	data = data[cookieSize:]
	in.number = readNonce(data)
	plain, ok := in.session.open(data[shortSize:], shortNonce(prefixInitiate, in.number))
	if !ok || in.number <= hello {
		return in, false
	}
	copy(in.client[:], plain)
	vouchNonce := plain[KeySize : KeySize+longSize]
	sealed := plain[KeySize+longSize:]
	key, ok := precompute(&shortSecret, &in.client) // C and S'
	defer clear(key[:])
	if !ok {
		return in, false
	}
	vouch, ok := key.open(sealed[:vouchSize], longNonce(prefixVouch, vouchNonce))
	if !ok || !same(vouch, append(short[:len(short):len(short)], id.public[:]...)) {
		return in, false
	}
	peer, err := zmtp.ParseProperties(sealed[vouchSize:])
	in.peer = peer
	return in, err == nil
}
