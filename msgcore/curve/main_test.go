package curve_test

import (
	"bytes"
	"context"
	"crypto/sha3"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what would hang if it were broken.
const patience = 30 * time.Second

// fixed returns bytes that depend on name only, as in testdata/transcript.py.
func fixed(name string, size int) []byte {
	h := sha3.NewSHAKE128()
	h.Write([]byte(name))
	b := make([]byte, size)
	h.Read(b)
	return b
}

func fixedKey(name string) curve.SecretKey { return curve.SecretKey(fixed(name, 32)) }

// The keys of the two sides of most tests.
var (
	clientKey = fixedKey("client")
	serverKey = fixedKey("server")
)

func props(socketType string) zmtp.Properties {
	return zmtp.Properties{zmtp.SocketType: socketType}
}

// greeting is that of a peer with CURVE.
func greeting() []byte {
	return zmtp.AppendGreeting(nil, zmtp.Greeting{Version: zmtp.Version{Major: 3, Minor: 1}, Mechanism: curve.Name})
}

// A script is a connection to a peer that has said all it will ever say.
type script struct {
	in  io.Reader
	out chan []byte
}

func newScript(parts ...[]byte) *script {
	return &script{bytes.NewReader(append(greeting(), bytes.Join(parts, nil)...)), make(chan []byte, 100)}
}

func (s *script) Read(b []byte) (int, error) { return s.in.Read(b) }

func (s *script) Write(b []byte) (int, error) {
	s.out <- bytes.Clone(b)
	return len(b), nil
}

// written returns what was written, write by write, without the greeting.
func (s *script) written() (w [][]byte) {
	for len(s.out) > 0 {
		w = append(w, <-s.out)
	}
	return w[1:]
}

type result struct {
	conn *zmtp.Conn
	err  error
}

// handshakes runs one handshake at each end of a pipe that has no buffer.
func handshakes(t testing.TB, a, b *zmtp.Config) (ra, rb result) {
	t.Helper()
	ca, cb := net.Pipe()
	t.Cleanup(func() { ca.Close(); cb.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		c, err := zmtp.Handshake(ctx, cb, b)
		if err != nil {
			cb.Close()
		}
		done <- result{c, err}
	}()
	ra.conn, ra.err = zmtp.Handshake(ctx, ca, a)
	if ra.err != nil {
		ca.Close()
	}
	return ra, <-done
}

// pair returns the two ends of a connection with CURVE.
func pair(t testing.TB) (client, server *zmtp.Conn) {
	t.Helper()
	ra, rb := handshakes(t,
		&zmtp.Config{Mechanism: curve.Client(clientKey, serverKey.Public()), Properties: props("DEALER")},
		&zmtp.Config{Mechanism: curve.Server(serverKey), Properties: props("ROUTER")})
	require.NoError(t, ra.err)
	require.NoError(t, rb.err)
	t.Cleanup(func() { ra.conn.Close(); rb.conn.Close() })
	return ra.conn, rb.conn
}
