package curve_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// A line is a frame of testdata/transcript.txt.
type line struct {
	who, what string
	frame     []byte
}

// transcript reads what testdata/transcript.py has written.
func transcript(t testing.TB) (lines []line) {
	t.Helper()
	text, err := os.ReadFile("testdata/transcript.txt")
	require.NoError(t, err)
	for l := range strings.Lines(string(text)) {
		f := strings.Fields(l)
		require.Len(t, f, 3)
		frame, err := hex.DecodeString(f[2])
		require.NoError(t, err)
		lines = append(lines, line{f[0], f[1], frame})
	}
	return lines
}

// said returns the frames that who sends in the handshake, or after it.
func said(lines []line, who string, handshake bool) (frames [][]byte) {
	for _, l := range lines {
		if l.who == who && (l.what != "MESSAGE") == handshake {
			frames = append(frames, l.frame)
		}
	}
	return frames
}

// A side of the connection in the transcript.
type side struct {
	name, peer string
	random     int // how many bytes it takes
	config     func() *zmtp.Config
}

var (
	clientSide = side{"client", "server", 48, func() *zmtp.Config {
		return &zmtp.Config{
			Mechanism:  curve.Client(clientKey, serverKey.Public()),
			Properties: zmtp.Properties{zmtp.SocketType: "DEALER", zmtp.Identity: "myid"},
		}
	}}
	serverSide = side{"server", "client", 96, func() *zmtp.Config {
		return &zmtp.Config{
			Mechanism:  curve.Server(serverKey),
			Properties: props("ROUTER"),
			Authorize: func(_ context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
				return zmtp.Properties{zmtp.UserID: curve.PublicKey(r.Credentials[0]).String()}, nil
			},
		}
	}}
)

// replay runs a side of the connection in the transcript against what in says, with
// the side's random bytes.
func (s side) replay(in ...[]byte) (*zmtp.Conn, [][]byte, error) {
	defer curve.SetRandom(bytes.NewReader(fixed(s.name+"'s random bytes", s.random)))()
	script := newScript(in...)
	c, err := zmtp.Handshake(context.Background(), script, s.config())
	return c, script.written(), err
}

func TestTranscript(t *testing.T) {
	for _, s := range []side{clientSide, serverSide} {
		t.Run(s.name, func(t *testing.T) {
			lines := transcript(t) // anew: Open writes into what it is given
			in := append(said(lines, s.peer, true), said(lines, s.peer, false)...)
			c, out, err := s.replay(in...)
			require.NoError(t, err)
			require.Equal(t, said(lines, s.name, true), out)
			if s.name == "server" {
				require.Equal(t, zmtp.Properties{
					zmtp.SocketType: "DEALER", zmtp.Identity: "myid", zmtp.UserID: clientKey.Public().String(),
				}, c.Peer())
			} else {
				require.Equal(t, props("ROUTER"), c.Peer())
			}

			frames := map[string][]zmtp.Frame{
				"client": {
					{Body: []byte{}},
					{More: true, Body: []byte("more")},
					{Body: slices.Repeat(func() (b []byte) {
						for i := range 256 {
							b = append(b, byte(i))
						}
						return b
					}(), 4)},
					{Command: true, Body: []byte("\x04PING\x00\x32")},
				},
				"server": {
					{Body: bytes.Repeat([]byte("x"), 31)},
					{Command: true, Body: []byte("\x04PONG")},
				},
			}
			for i, want := range said(lines, s.name, false) {
				got, err := c.Session().Seal([]byte("before"), frames[s.name][i])
				require.NoError(t, err)
				require.Equal(t, append([]byte("before"), want...), got)
			}
			for i, frame := range said(lines, s.peer, false) {
				_, n, size, err := zmtp.ParseHeader(frame)
				require.NoError(t, err)
				require.Len(t, frame, size+int(n))
				got, err := c.Session().Open(frame[size:])
				require.NoError(t, err)
				require.Equal(t, frames[s.peer][i], got)
			}
		})
	}
}
