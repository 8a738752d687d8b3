package curve_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// A stream is count messages of 1 to 4 frames and 0 B to 1 MiB, most of them small.
type stream struct {
	r    *rand.Rand
	pool []byte
	n    int
}

func newStream() *stream {
	return &stream{r: rand.New(rand.NewPCG(5, 25)), pool: fixed("pool", 2<<20)}
}

// next returns the next message. All streams are equal.
func (s *stream) next() (frames [][]byte) {
	size := 1 << 20
	if s.n%100 > 0 {
		size = 1<<s.r.IntN(15) - 1
	}
	s.n++
	at := s.r.IntN(len(s.pool) - size)
	body := s.pool[at : at+size]
	for range s.r.IntN(4) {
		cut := s.r.IntN(len(body) + 1)
		frames = append(frames, body[:cut])
		body = body[cut:]
	}
	return append(frames, body)
}

func streamSize() int {
	if os.Getenv("SOLOMQ_TEST") == "full" {
		return 10_000
	}
	return 200
}

// exchange sends a stream and wants it echoed.
func exchange(t *testing.T, s *msgcore.Socket) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	sent := make(chan error, 1)
	go func() {
		out := newStream()
		for range streamSize() {
			if err := s.Send(ctx, out.next()...); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	want := newStream()
	for i := range streamSize() {
		m, err := s.Recv(ctx)
		require.NoError(t, err)
		frames := want.next()
		require.Len(t, m.Frames, len(frames))
		for j := range frames {
			require.True(t, bytes.Equal(frames[j], m.Frames[j]), "message %d, frame %d", i, j)
		}
		m.Release()
	}
	require.NoError(t, <-sent)
}

// admit admits the client of the tests and nobody else.
func admit(status string) func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error) {
	return func(_ context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
		for _, s := range securities() {
			var shown []string
			for _, c := range r.Credentials {
				if r.Mechanism == curve.Name {
					shown = append(shown, curve.PublicKey(c).String())
				} else {
					shown = append(shown, string(c))
				}
			}
			if r.Mechanism == s.name && strings.Join(shown, "\n") == strings.Join(s.credentials, "\n") {
				return zmtp.Properties{zmtp.UserID: "bob"}, nil
			}
		}
		return nil, &zmtp.RejectedError{Reason: status}
	}
}

// Two sockets talk, of which one is libzmq's, and either has either role, binds or
// connects.
func TestInteropStreams(t *testing.T) {
	needPython(t)
	for _, sec := range securities() {
		for _, scheme := range []string{"tcp", "ipc"} {
			for _, binds := range []bool{true, false} {
				for _, serves := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s/%s/binds=%v/serves=%v", sec.name, scheme, binds, serves), func(t *testing.T) {
						o := msgcore.Options{Mechanism: sec.client}
						a := peerArgs{
							Kind: "ROUTER", Options: sec.theirServer, Job: "echo", With: streamSize(),
							ZAP: &zap{Known: [][]string{sec.credentials}, Status: "400"},
						}
						if serves {
							o.Mechanism, o.Authorize = sec.server, admit("400")
							a.Options = sec.theirClient
						}
						a.Options["SNDHWM"] = 0 // or the ROUTER would drop
						s, events := open(t, msgcore.Dealer, o)
						if binds {
							var err error
							a.Connect, err = s.Bind(context.Background(), unused(t, scheme))
							require.NoError(t, err)
							startPeer(t, a)
						} else {
							a.Bind = unused(t, scheme)
							require.NoError(t, s.Connect(startPeer(t, a).endpoint))
						}
						e := await(t, events, msgcore.HandshakeSucceeded)
						require.Equal(t, sec.name, e.Peer.Mechanism)
						require.Equal(t, "ROUTER", e.Peer.Type)
						if serves {
							require.Equal(t, "bob", e.Peer.Properties[zmtp.UserID])
						}
						exchange(t, s)
					})
				}
			}
		}
	}
}

func TestInteropSubscriptions(t *testing.T) {
	needPython(t)
	for _, sec := range securities() {
		for _, scheme := range []string{"tcp", "ipc"} {
			t.Run(sec.name+"/"+scheme+"/we publish", func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				pub, _ := open(t, msgcore.Pub, msgcore.Options{Mechanism: sec.server, Authorize: admit("400")})
				endpoint, err := pub.Bind(ctx, unused(t, scheme))
				require.NoError(t, err)
				p := startPeer(t, peerArgs{Kind: "SUB", Options: sec.theirClient, Connect: endpoint, Job: "subscribe", With: "AB"})
				require.NoError(t, pub.WaitSubscribers(ctx, 1))
				require.NoError(t, pub.Send(ctx, []byte("A no"), []byte("no")))
				require.NoError(t, pub.Send(ctx, []byte("ABC"), []byte("yes")))
				var got []string
				p.says(t, &got)
				require.Equal(t, []string{"ABC", "yes"}, got)
			})
			t.Run(sec.name+"/"+scheme+"/they publish", func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				p := startPeer(t, peerArgs{
					Kind: "XPUB", Options: sec.theirServer, Bind: unused(t, scheme), Job: "publish", With: "AB",
					ZAP: &zap{Known: [][]string{sec.credentials}, Status: "400"},
				})
				sub, _ := open(t, msgcore.Sub, msgcore.Options{Mechanism: sec.client})
				require.NoError(t, sub.Subscribe("AB"))
				require.NoError(t, sub.Connect(p.endpoint))
				var got []string
				p.says(t, &got)
				require.Equal(t, []string{"01", "AB"}, got)
				m, err := sub.Recv(ctx)
				require.NoError(t, err)
				require.Equal(t, [][]byte{[]byte("AB"), []byte("yes")}, m.Frames)
			})
		}
	}
}

// unknown returns the client of sec with other credentials.
func (sec security) unknown() (zmtp.Mechanism, map[string]any) {
	if sec.name == "PLAIN" {
		return zmtp.PlainClient("bob", "guess"), map[string]any{"PLAIN_USERNAME": "bob", "PLAIN_PASSWORD": "guess"}
	}
	k := fixedKey("another client")
	return curve.Client(k, serverKey.Public()),
		map[string]any{"CURVE_SECRETKEY": k.Z85(), "CURVE_PUBLICKEY": k.Public().String(), "CURVE_SERVERKEY": serverKey.Public().String()}
}

// libzmq's ZAP handler does not know us: the status comes as an ERROR, but for 300,
// which is silence, so that one tries again.
func TestLibzmqRefusesUs(t *testing.T) {
	needPython(t)
	for _, sec := range securities() {
		for _, scheme := range []string{"tcp", "ipc"} {
			for _, status := range []string{"400", "500", "300"} {
				t.Run(sec.name+"/"+scheme+"/"+status, func(t *testing.T) {
					if status == "300" {
						sec.theirServer["HANDSHAKE_IVL"] = 300 // it forgets to close
					}
					p := startPeer(t, peerArgs{
						Kind: "ROUTER", Options: sec.theirServer, Bind: unused(t, scheme), Job: "echo", With: 1,
						ZAP: &zap{Known: [][]string{sec.credentials}, Status: status},
					})
					mechanism, _ := sec.unknown()
					s, events := open(t, msgcore.Dealer, msgcore.Options{Mechanism: mechanism})
					require.NoError(t, s.Connect(p.endpoint))
					err := await(t, events, msgcore.HandshakeFailed).Err
					var rejected *zmtp.RejectedError
					if status == "300" {
						require.ErrorIs(t, err, io.ErrUnexpectedEOF)
						require.ErrorIs(t, await(t, events, msgcore.HandshakeFailed).Err, io.ErrUnexpectedEOF, "again")
						return
					}
					require.ErrorAs(t, err, &rejected)
					require.Equal(t, status, rejected.Reason)
				})
			}
		}
	}
}

// We refuse libzmq: it takes our ERROR for what its own would be.
func TestWeRefuseLibzmq(t *testing.T) {
	needPython(t)
	for _, sec := range securities() {
		for _, scheme := range []string{"tcp", "ipc"} {
			for _, status := range []string{"300", "400", "500"} {
				t.Run(sec.name+"/"+scheme+"/"+status, func(t *testing.T) {
					s, events := open(t, msgcore.Dealer, msgcore.Options{Mechanism: sec.server, Authorize: admit(status)})
					endpoint, err := s.Bind(context.Background(), unused(t, scheme))
					require.NoError(t, err)
					_, options := sec.unknown()
					p := startPeer(t, peerArgs{Kind: "DEALER", Options: options, Connect: endpoint, Job: "monitor"})
					var rejected *zmtp.RejectedError
					require.ErrorAs(t, await(t, events, msgcore.HandshakeFailed).Err, &rejected)
					require.Equal(t, status, rejected.Reason)
					var got []any
					p.says(t, &got)
					switch {
					case status == "300":
						require.Equal(t, "closed", got[0])
					case sec.name == "PLAIN": // libzmq 4.3 does not know an ERROR from PLAIN
						require.Equal(t, "protocol", got[0])
						return
					default:
						require.Equal(t, []any{"refused", status}, []any{got[0], fmt.Sprint(got[1])})
						return
					}
					await(t, events, msgcore.HandshakeFailed) // it comes again
				})
			}
		}
	}
}

// With another server's key nobody learns more than that the connection is closed.
func TestInteropWrongServerKey(t *testing.T) {
	needPython(t)
	other := fixedKey("another server").Public()
	sec := securities()[0]
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme+"/ours", func(t *testing.T) {
			p := startPeer(t, peerArgs{Kind: "ROUTER", Options: sec.theirServer, Bind: unused(t, scheme), Job: "monitor"})
			s, events := open(t, msgcore.Dealer, msgcore.Options{Mechanism: curve.Client(clientKey, other)})
			require.NoError(t, s.Connect(p.endpoint))
			require.ErrorIs(t, await(t, events, msgcore.HandshakeFailed).Err, io.ErrUnexpectedEOF)
			var got []any
			p.says(t, &got)
			require.Equal(t, "protocol", got[0])
		})
		t.Run(scheme+"/theirs", func(t *testing.T) {
			s, events := open(t, msgcore.Dealer, msgcore.Options{Mechanism: sec.server})
			endpoint, err := s.Bind(context.Background(), unused(t, scheme))
			require.NoError(t, err)
			options := sec.theirClient
			options["CURVE_SERVERKEY"] = other.String()
			p := startPeer(t, peerArgs{Kind: "ROUTER", Options: options, Connect: endpoint, Job: "monitor"})
			err = await(t, events, msgcore.HandshakeFailed).Err
			requireRule(t, err)
			require.ErrorContains(t, err, "HELLO")
			var got []any
			p.says(t, &got)
			require.Equal(t, "closed", got[0])
		})
	}
}

// A server of PLAIN that nobody told whom to admit admits nobody.
func TestPlainWithoutAuthorize(t *testing.T) {
	needPython(t)
	sec := securities()[1]
	s, events := open(t, msgcore.Dealer, msgcore.Options{Mechanism: sec.server})
	endpoint, err := s.Bind(context.Background(), "tcp://127.0.0.1:*")
	require.NoError(t, err)
	p := startPeer(t, peerArgs{Kind: "DEALER", Options: sec.theirClient, Connect: endpoint, Job: "monitor"})
	require.ErrorContains(t, await(t, events, msgcore.HandshakeFailed).Err, "set Config.Authorize")
	var got []any
	p.says(t, &got)
	require.Equal(t, "protocol", got[0], "libzmq 4.3 does not know an ERROR from PLAIN")
}

// Our files are read by pyzmq and, where it is installed, by CZMQ.
func TestOthersReadOurCertificates(t *testing.T) {
	needPython(t)
	path := filepath.Join(t.TempDir(), "our.key")
	c := &curve.Certificate{Public: clientKey.Public(), Secret: clientKey, Metadata: map[string]string{"name": "Bob's own", "email": "bob@example.org"}}
	require.NoError(t, c.Save(path))
	out, err := exec.Command(pythonPath, "testdata/certificate.py", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	want := clientKey.Public().String() + " " + clientKey.Z85()
	require.Equal(t, "pyzmq "+want, lines[0])
	if len(lines) == 1 {
		t.Log("libczmq is not installed: not tried")
		return
	}
	require.Equal(t, []string{"czmq " + want, "Bob's own", "bob@example.org"}, lines[1:])
}
