package zmtp_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/msgcore/zmtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	v30 = zmtp.Version{Major: 3, Minor: 0}
	v31 = zmtp.Version{Major: 3, Minor: 1}
)

// unhex reads hexadecimal digits; spaces and bars are for the eye, text between
// quotes stands for itself.
func unhex(s string) []byte {
	var b []byte
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			b = append(b, part...)
			continue
		}
		part = strings.NewReplacer(" ", "", "|", "", "\n", "", "\t", "").Replace(part)
		raw, err := hex.DecodeString(part)
		if err != nil {
			panic(err)
		}
		b = append(b, raw...)
	}
	return b
}

// greeting returns the greeting of a NULL peer.
func greeting(v zmtp.Version) []byte {
	return zmtp.AppendGreeting(nil, zmtp.Greeting{Version: v, Mechanism: "NULL"})
}

func ready(p zmtp.Properties) []byte {
	return zmtp.AppendCommand(nil, zmtp.CommandReady, zmtp.AppendProperties(nil, p))
}

func props(socketType string) zmtp.Properties {
	return zmtp.Properties{zmtp.SocketType: socketType}
}

// A script is a connection to a peer that has said all it will ever say.
type script struct {
	in  io.Reader
	mu  sync.Mutex // guards out
	out bytes.Buffer
}

func newScript(parts ...[]byte) *script {
	return &script{in: bytes.NewReader(bytes.Join(parts, nil))}
}

func (s *script) Read(b []byte) (int, error) { return s.in.Read(b) }

func (s *script) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(b)
}

func (s *script) written() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.out.Bytes())
}

// play runs a handshake of NULL with a peer that then sends traffic.
func play(t testing.TB, cfg *zmtp.Config, traffic ...[]byte) (*zmtp.Conn, *script) {
	t.Helper()
	s := newScript(append([][]byte{greeting(v31), ready(props("DEALER"))}, traffic...)...)
	c, err := zmtp.Handshake(context.Background(), s, cfg)
	require.NoError(t, err)
	s.mu.Lock()
	s.out.Reset()
	s.mu.Unlock()
	return c, s
}

type result struct {
	conn *zmtp.Conn
	err  error
}

// handshakes runs one handshake at each end of a pipe that has no buffer.
func handshakes(t testing.TB, a, b *zmtp.Config) (ra, rb result, ca, cb net.Conn) {
	t.Helper()
	ca, cb = net.Pipe()
	t.Cleanup(func() { ca.Close(); cb.Close() })
	ra, rb = handshakesOver(t, ca, cb, a, b)
	return ra, rb, ca, cb
}

func handshakesOver(t testing.TB, ca, cb net.Conn, a, b *zmtp.Config) (ra, rb result) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
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
		// The other end may still have to hear of it: it is read, then closed.
		ca.Close()
	}
	return ra, <-done
}

// pair returns two ends of a handshaken pipe.
func pair(t testing.TB, a, b *zmtp.Config) (*zmtp.Conn, *zmtp.Conn) {
	t.Helper()
	ra, rb, _, _ := handshakes(t, a, b)
	require.NoError(t, ra.err)
	require.NoError(t, rb.err)
	t.Cleanup(func() { ra.conn.Close(); rb.conn.Close() })
	return ra.conn, rb.conn
}

// requireRule fails unless err is a *ProtocolError that says so.
func requireRule(t testing.TB, err error, words ...string) {
	t.Helper()
	var p *zmtp.ProtocolError
	require.ErrorAs(t, err, &p)
	require.True(t, strings.HasPrefix(err.Error(), "zmtp: "), err)
	for _, w := range words {
		require.ErrorContains(t, err, w)
	}
}

// allocated returns how many bytes f allocates, with whatever else runs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
