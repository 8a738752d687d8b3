package zmtp_test

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

var earlyMessages = [][][]byte{{[]byte("first"), make([]byte, 300)}, {[]byte("another")}}

func early() *zmtp.Config {
	return &zmtp.Config{Properties: props("DEALER"), Early: earlyMessages}
}

// What is early goes out in one piece, before the peer has said anything.
func TestEarlyIsOnePiece(t *testing.T) {
	want := append(greeting(v31), ready(props("DEALER"))...)
	want = append(want, unhex("01 05 'first'  02 00000000 0000012c")...)
	want = append(want, earlyMessages[0][1]...)
	want = append(want, unhex("00 07 'another'")...)
	s := newScript(greeting(v31), ready(props("ROUTER")))
	_, err := zmtp.Handshake(context.Background(), s, early())
	require.NoError(t, err)
	require.Equal(t, want, s.written())
}

// The messages are the first ones of the connection, over a pipe without a buffer
// and over a socket of the system.
func TestEarlyArrivesFirst(t *testing.T) {
	t.Run("pipe", func(t *testing.T) {
		ca, cb := net.Pipe()
		earlyArrivesFirst(t, ca, cb)
	})
	t.Run("socket", func(t *testing.T) {
		l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
		if err != nil {
			t.Skipf("no Unix sockets here: %v", err)
		}
		defer l.Close()
		ca, err := net.Dial("unix", l.Addr().String())
		require.NoError(t, err)
		cb, err := l.Accept()
		require.NoError(t, err)
		earlyArrivesFirst(t, ca, cb)
	})
}

func earlyArrivesFirst(t *testing.T, ca, cb net.Conn) {
	defer ca.Close()
	defer cb.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	said := make(chan error, 1)
	go func() {
		c, err := zmtp.Handshake(ctx, ca, early())
		if err == nil {
			err = c.WriteMessage([]byte("second"))
		}
		said <- err
	}()
	c, err := zmtp.Handshake(ctx, cb, &zmtp.Config{Accepting: true, Properties: props("ROUTER")})
	require.NoError(t, err)
	require.Equal(t, props("DEALER"), c.Peer())
	for _, want := range append(slices.Clone(earlyMessages), [][]byte{[]byte("second")}) {
		m, err := c.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, want, m)
	}
	require.NoError(t, <-said)
}

// Nothing is early where the peer is to be judged first.
func TestEarlyIsForKnownPeers(t *testing.T) {
	for name, spoil := range map[string]func(*zmtp.Config){
		"mechanism": func(c *zmtp.Config) { c.Mechanism = zmtp.PlainClient("user", "secret") },
		"accepting": func(c *zmtp.Config) { c.Accepting = true },
		"authorize": func(c *zmtp.Config) {
			c.Authorize = func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error) { return nil, nil }
		},
		"old": func(c *zmtp.Config) { c.MinVersion = zmtp.Version{Major: 1} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := early()
			spoil(cfg)
			s := newScript(greeting(v31), ready(props("ROUTER")))
			_, err := zmtp.Handshake(context.Background(), s, cfg)
			require.ErrorContains(t, err, "Config.Early")
			require.Empty(t, s.written())
		})
	}
}
