package msgcore_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A talker is a peer of a PULL that has a lot to say.
type talker struct {
	name  string
	opts  msgcore.Options
	hello []byte                   // its greeting, or as much of it as it has
	ready []byte                   // the rest of its handshake
	seal  func(body []byte) []byte // makes a message
	known bool                     // we need not be careful with it
}

// talkers have the same to say in different words. Sealing is for one connection.
func talkers() []talker {
	plain := func(body []byte) []byte { return append(zmtp.AppendHeader(nil, 0, len(body)), body...) }
	one := func(body []byte) []byte { return append(zmtp.AppendHeader1(nil, false, len(body)), body...) }
	var mask maskSession
	return []talker{
		{"3.1", msgcore.Options{MinVersion: zmtp.Version{Major: 3, Minor: 1}}, greeted, readyOf("PUSH"), plain, true},
		{"3.0, careful", msgcore.Options{}, greeting(3, 0), readyOf("PUSH"), plain, true},
		{"MASK", msgcore.Options{Mechanism: maskMechanism{}}, mechanism("MASK"), readyOf("PUSH"), func(body []byte) []byte {
			b, _ := mask.Seal(nil, zmtp.Frame{Body: body})
			return b
		}, true},
		{"2.0", msgcore.Options{}, append(signature(0x7f), 1, 8), []byte{0, 0}, plain, false},
		{"1.0", msgcore.Options{}, append(signature(0x7f), 0, 8), []byte{1, 0}, one, false},
		{"1.0 without a version", msgcore.Options{}, []byte{5, 0}, []byte("peer"), one, false},
	}
}

// behind are the sizes of the messages behind the handshake: they end before and
// behind the buffers of the handshake and of the session.
var behind = []int{0, 1, 100, 300, 255, 256, 600, 2000, 10_000, 5, 100_000, 3}

// says is all that it says.
func (k *talker) says() []byte {
	all := after(k.hello, k.ready)
	for i, n := range behind {
		all = append(all, k.seal(pattern(i, n))...)
	}
	return all
}

// hears receives the messages.
func hears(t *testing.T, pull *msgcore.Socket) {
	t.Helper()
	for i, n := range behind {
		m, err := pull.Recv(ctx30(t))
		require.NoError(t, err)
		require.True(t, bytes.Equal(pattern(i, n), m.Bytes()), "message %d of %d bytes", i, n)
		m.Release()
	}
}

// manners are how a peer may say it all.
var manners = []struct {
	name string
	say  func(c net.Conn, k *talker) error
}{
	{"at once", func(c net.Conn, k *talker) error {
		_, err := c.Write(k.says())
		return err
	}},
	{"byte by byte", func(c net.Conn, k *talker) error {
		all := k.says()
		for i := range 500 {
			if _, err := c.Write(all[i : i+1]); err != nil {
				return err
			}
		}
		_, err := c.Write(all[500:])
		return err
	}},
	{"greeting first", func(c net.Conn, k *talker) error { return sayAfter(c, k, len(k.hello), 10) }},
	{"signature first", func(c net.Conn, k *talker) error { return sayAfter(c, k, min(10, len(k.hello)), 10) }},
	{"last", func(c net.Conn, k *talker) error { return sayAfter(c, k, 0, 10) }},
}

// sayAfter says n bytes, and all others when it has read so many.
func sayAfter(c net.Conn, k *talker, n, read int) error {
	all := k.says()
	if _, err := c.Write(all[:n]); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, make([]byte, read)); err != nil {
		return err
	}
	_, err := c.Write(all[n:])
	return err
}

// A gated listener hands out its connections when it is told to.
type gated struct {
	net.Listener
	gate chan struct{}
}

func (l gated) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		<-l.gate
	}
	return c, err
}

// ways are kinds of connections: with a descriptor and without.
var ways = []string{"tcp", "unix", "tls"}

func listenOn(t *testing.T, way string) (l net.Listener, dial func() (net.Conn, error)) {
	t.Helper()
	network, addr := "tcp", "127.0.0.1:0"
	if way == "unix" {
		network, addr = "unix", filepath.Join(shortDir(t), "s")
	}
	l = made(t, network, addr)
	return l, func() (net.Conn, error) { return net.Dial(network, l.Addr().String()) }
}

// Whatever the peer has said when it is accepted, and however it goes on, its
// messages arrive.
func TestAcceptedMessagesBehindReady(t *testing.T) {
	server, client := tlsConfigs()
	for _, way := range ways {
		for _, manner := range manners {
			t.Run(way+" "+manner.name, func(t *testing.T) {
				for _, k := range talkers() {
					t.Run(k.name, func(t *testing.T) {
						l, dial := listenOn(t, way)
						gate := make(chan struct{})
						l = gated{l, gate}
						if way == "tls" {
							l = tls.NewListener(l, server)
							close(gate) // or nobody could say anything
						}
						pull := open(t, msgcore.Pull, &k.opts)
						_, err := pull.BindListener(l)
						require.NoError(t, err)
						c, err := dial()
						require.NoError(t, err)
						defer c.Close()
						if way == "tls" {
							c = tls.Client(c, client)
						}
						require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
						said := make(chan error, 1)
						if manner.name == "at once" && way != "tls" {
							all := k.says()
							_, err := c.Write(all[:3000])
							require.NoError(t, err)
							close(gate)
							go func() {
								_, err := c.Write(all[3000:])
								said <- err
							}()
							if k.known {
								requireAnswer(t, c, k.hello)
							}
						} else {
							if way != "tls" {
								close(gate)
							}
							go func() { said <- manner.say(c, &k) }()
						}
						hears(t, pull)
						require.NoError(t, <-said)
					})
				}
			})
		}
	}
}

// requireAnswer checks that a peer who has said all is told greeting and READY.
func requireAnswer(t *testing.T, c net.Conn, hello []byte) {
	t.Helper()
	want := after(greeted, ourReady("PULL"))
	copy(want[12:32], hello[12:32]) // the mechanism
	got := make([]byte, len(want))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// ourReady is what a socket says of itself.
func ourReady(typ string) []byte {
	return zmtp.AppendCommand(nil, zmtp.CommandReady, zmtp.AppendProperties(nil, zmtp.Properties{zmtp.SocketType: typ}))
}

// The same for a socket that has dialed.
func TestDialedMessagesBehindReady(t *testing.T) {
	for _, way := range ways[:2] {
		for _, manner := range manners {
			t.Run(way+" "+manner.name, func(t *testing.T) {
				for _, k := range talkers() {
					t.Run(k.name, func(t *testing.T) {
						l, dial := listenOn(t, way)
						pull := open(t, msgcore.Pull, &k.opts)
						ours, err := dial()
						require.NoError(t, err)
						_, err = pull.ConnectConn(ours)
						require.NoError(t, err)
						c, err := l.Accept()
						require.NoError(t, err)
						defer c.Close()
						require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
						said := make(chan error, 1)
						go func() { said <- manner.say(c, &k) }()
						hears(t, pull)
						require.NoError(t, <-said)
					})
				}
			})
		}
	}
}

// sayAtOnce connects to s, bound over a listener of Unix sockets, as a peer that says
// all that it has to say before it is accepted.
func sayAtOnce(t *testing.T, s *msgcore.Socket, peer string, messages ...[]byte) net.Conn {
	t.Helper()
	l, dial := listenOn(t, "unix")
	gate := make(chan struct{})
	_, err := s.BindListener(gated{l, gate})
	require.NoError(t, err)
	c, err := dial()
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = c.Write(after(greeted, readyOf(peer), after(messages...)))
	require.NoError(t, err)
	close(gate)
	return c
}

// A REP, whose callers read by themselves, and a PUB, to which messages are
// subscriptions.
func TestBehindReadyOfOtherTypes(t *testing.T) {
	t.Run("REP", func(t *testing.T) {
		rep := open(t, msgcore.Rep, nil)
		request := func(body string) []byte { return after(frame(zmtp.FlagMore, nil), frame(0, []byte(body))) }
		sayAtOnce(t, rep, "DEALER", request("one"), request("two"))
		for _, want := range []string{"one", "two"} {
			require.Equal(t, []string{want}, recvTexts(t, rep))
			sendTexts(t, rep, "answer")
		}
	})
	t.Run("PUB", func(t *testing.T) {
		pub := open(t, msgcore.Pub, nil)
		c := sayAtOnce(t, pub, "SUB", zmtp.AppendSubscribe(nil, []byte("topic"), zmtp.Version{Major: 3, Minor: 1}))
		require.NoError(t, pub.WaitSubscribers(ctx30(t), 1))
		sendTexts(t, pub, "other")
		sendTexts(t, pub, "topic!")
		want := after(greeted, ourReady("PUB"), frame(0, []byte("topic!")))
		got := make([]byte, len(want))
		_, err := io.ReadFull(c, got)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// What was read and not received counts, as anything that was read.
func TestBehindReadyIsCounted(t *testing.T) {
	pull := open(t, msgcore.Pull, &msgcore.Options{RecvHWM: 1})
	var all [][]byte
	for range 10 {
		all = append(all, frame(0, []byte("message")))
	}
	sayAtOnce(t, pull, "PUSH", all...)
	require.Equal(t, []string{"message"}, recvTexts(t, pull))
	require.NoError(t, pull.Close())
	s := pull.Stats()
	require.EqualValues(t, 10, s.MessagesIn)
	require.EqualValues(t, 9, s.DroppedUnread)
}

// Where the other end is told what was read, nothing is read of a peer that is
// refused but its handshake.
func TestSimReadsNothingAhead(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		tr, _ := n.server.Lookup("tcp")
		l, err := tr.Listen(t.Context(), "*:5555", nil)
		require.NoError(t, err)
		defer l.Close()
		pull, w := at(t, n.client, msgcore.Pull, msgcore.Options{})
		require.NoError(t, pull.Connect(simDial))
		c, err := l.Accept()
		require.NoError(t, err)
		defer c.Close()
		say := after(greeted, readyOf("PUB"))
		_, err = c.Write(after(say, frame(0, []byte("message"))))
		require.NoError(t, err)
		w.happens(1, msgcore.HandshakeFailed)
		_, read, _ := c.(transport.DeliveryConn).Delivery()
		require.EqualValues(t, len(say), read)
	})
}
