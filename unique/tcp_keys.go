package unique

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// On loopback tcp no kernel tells who is at the other end, so keys do (CURVE, RFC 26). Who proves the secret half of the
// record's key is the primary, because only this user can have written that record; who proves the key of the clients is
// of this user, because only this user can read its file.

// tcpKeys are what a primary on tcp has. The server's key is new with each primary. The secret ones are in functions, so
// that nothing prints them.
type tcpKeys struct {
	server func() curve.SecretKey
	public curve.PublicKey // the server's
	client func() *curve.Certificate
}

// newTCPKeys makes the keys of a primary. Only the holder of the lock may call it.
func newTCPKeys(s *site) (*tcpKeys, error) {
	public, secret, err := curve.GenerateKey()
	if err != nil {
		return nil, err
	}
	client, err := curve.LoadSecret(s.clientKeyPath())
	if err != nil { // there is none, or one that others could read, which is worth nothing
		client = new(curve.Certificate)
		if client.Public, client.Secret, err = curve.GenerateKey(); err != nil {
			return nil, err
		}
	}
	k := &tcpKeys{server: func() curve.SecretKey { return secret }, public: public, client: func() *curve.Certificate { return client }}
	return k, k.keep(s)
}

// keep writes the key of the clients if its file is not there.
func (k *tcpKeys) keep(s *site) error {
	if c, err := curve.LoadSecret(s.clientKeyPath()); err == nil && c.Public.Equal(k.client().Public) {
		return nil
	}
	if err := k.client().Save(strings.TrimSuffix(s.clientKeyPath(), secretSuffix)); err != nil {
		return fmt.Errorf("unique: the key by which secondaries are known on tcp cannot be written: %w", err)
	}
	mendMode(s.clientKeyPath(), 0o600)
	return nil
}

func (k *tcpKeys) mechanism() zmtp.Mechanism { return curve.Server(k.server()) }

var errOtherKey = errors.New("unique: the peer does not have the key of this user's processes: it is another user's, or uses another directory")

// authorize admits who has the key that only this user can read.
func (k *tcpKeys) authorize(_ context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
	if r.Mechanism == curve.Name && len(r.Credentials) == 1 && len(r.Credentials[0]) == curve.KeySize &&
		k.client().Public.Equal(curve.PublicKey(r.Credentials[0])) {
		return nil, nil
	}
	return nil, errOtherKey
}

// clientOf is the mechanism of those who connect to the primary that published r; nil if that is on ipc.
func (s *site) clientOf(r *record) (zmtp.Mechanism, error) {
	if !r.onTCP() {
		return nil, nil
	}
	c, err := curve.LoadSecret(s.clientKeyPath())
	if err != nil {
		return nil, fmt.Errorf("unique: no key to show to the primary, which is on tcp: %w", err)
	}
	return curve.Client(c.Secret, r.ServerKey), nil
}

// A lateClient is clientOf the primary that there is at the time of each handshake: a socket that connects again meets
// the next one, which has another key.
type lateClient struct{ s *site }

// Name implements zmtp.Mechanism.
func (lateClient) Name() string { return curve.Name }

// Server implements zmtp.Mechanism.
func (lateClient) Server() bool { return false }

// Format keeps what is printed short.
func (lateClient) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "unique.lateClient") }

// Handshake implements zmtp.Mechanism.
func (c lateClient) Handshake(ctx context.Context, conn zmtp.HandshakeConn, local zmtp.Properties) (zmtp.Session, error) {
	r, err := c.s.readRecord()
	if err != nil {
		return nil, err
	}
	m, err := c.s.clientOf(&r)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, errors.New("unique: the primary is not on tcp any more: open the channel again")
	}
	return m.Handshake(ctx, conn, local)
}
