package msgcore_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// patience bounds what would hang if it were broken.
const patience = 30 * time.Second

func fullSize() bool { return os.Getenv("SOLOMQ_TEST") == "full" }

// sized returns how much of something a test does, by the size of the run.
func sized(small, full int) int {
	if fullSize() {
		return full
	}
	return small
}

// A watch collects the events of a socket.
type watch struct {
	mu   sync.Mutex
	seen []msgcore.Event
	more chan struct{} // closed and replaced with each event
}

func newWatch() *watch { return &watch{more: make(chan struct{})} }

// note is for Options.Monitor.
func (w *watch) note(e msgcore.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, e)
	close(w.more)
	w.more = make(chan struct{})
}

// events returns what was seen, beginning with the event after the first n.
func (w *watch) events(n int) ([]msgcore.Event, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]msgcore.Event(nil), w.seen[n:]...), w.more
}

func (w *watch) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

// after waits for an event of kind behind the first n, and returns it and how
// many events there are up to it.
func (w *watch) after(t testing.TB, n int, kind msgcore.EventKind) (msgcore.Event, int) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		seen, more := w.events(n)
		for i, e := range seen {
			if e.Kind == kind {
				return e, n + i + 1
			}
		}
		select {
		case <-more:
		case <-deadline.C:
			require.FailNow(t, "no event "+kind.String(), "seen: %v", kindsOf(seen))
		}
	}
}

// times waits for the n-th event of kind.
func (w *watch) times(t testing.TB, n int, kind msgcore.EventKind) msgcore.Event {
	t.Helper()
	var e msgcore.Event
	for at := 0; n > 0; n-- {
		e, at = w.after(t, at, kind)
	}
	return e
}

func (w *watch) kinds() []string {
	seen, _ := w.events(0)
	return kindsOf(seen)
}

func kindsOf(list []msgcore.Event) []string {
	var names []string
	for _, e := range list {
		names = append(names, e.Kind.String())
	}
	return names
}

// watched returns options of which a watch hears.
func watched(o msgcore.Options) (*msgcore.Options, *watch) {
	w := newWatch()
	o.Monitor = w.note
	return &o, w
}

// open makes a socket that is closed with the test.
func open(t testing.TB, typ msgcore.Type, o *msgcore.Options) *msgcore.Socket {
	t.Helper()
	s := msgcore.New(typ, o)
	t.Cleanup(func() { s.Close() })
	return s
}

// bindTo binds s and returns the endpoint with wildcards resolved.
func bindTo(t testing.TB, s *msgcore.Socket, endpoint string) string {
	t.Helper()
	bound, err := s.Bind(limited(t), endpoint)
	require.NoError(t, err)
	return bound
}

const anyPort = "tcp://127.0.0.1:*"

// limited is a context that a test that works never sees the end of.
func limited(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// shortDir returns a directory with a name that leaves room for a socket's.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mq")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// unused returns an endpoint of the scheme that nobody is bound to.
func unused(t testing.TB, scheme string) string {
	t.Helper()
	switch scheme {
	case "ipc":
		return "ipc://" + filepath.Join(shortDir(t), "s")
	case "inproc":
		return "inproc://" + t.Name()
	}
	// None of the ports that systems choose by themselves: such a one could be
	// another program's, or another package's test's, by the time it is bound.
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 20000+rand.IntN(12000)))
		if err == nil {
			require.NoError(t, l.Close())
			return "tcp://" + l.Addr().String()
		}
	}
	require.FailNow(t, "no port is free")
	return ""
}

// A rawPeer is a TCP client of a socket that says what it likes.
type rawPeer struct {
	*net.TCPConn
	in   *bufio.Reader
	rest []byte // of the last message of fill
}

// rawDial connects to a tcp endpoint.
func rawDial(t testing.TB, endpoint string) *rawPeer {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return &rawPeer{TCPConn: c.(*net.TCPConn), in: bufio.NewReader(c)}
}

// rawHandshake is rawDial that shakes hands as a socket of the given type.
func rawHandshake(t testing.TB, endpoint, socketType string) *rawPeer {
	t.Helper()
	return rawOver(t, rawDial(t, endpoint).TCPConn, socketType)
}

// rawOver shakes hands over c as a socket of the given type.
func rawOver(t testing.TB, c *net.TCPConn, socketType string) *rawPeer {
	t.Helper()
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	_, err := zmtp.Handshake(context.Background(), c, &zmtp.Config{
		Properties: zmtp.Properties{zmtp.SocketType: socketType},
	})
	require.NoError(t, err)
	return &rawPeer{TCPConn: c, in: bufio.NewReader(c)}
}

// send writes b as it is.
func (p *rawPeer) send(t testing.TB, b ...byte) {
	t.Helper()
	_, err := p.Write(b)
	require.NoError(t, err)
}

// readFrame reads one frame.
func (p *rawPeer) readFrame(t testing.TB) zmtp.Frame {
	t.Helper()
	var hdr []byte
	for {
		b, err := p.in.ReadByte()
		require.NoError(t, err)
		hdr = append(hdr, b)
		flags, n, size, err := zmtp.ParseHeader(hdr)
		require.NoError(t, err)
		if size > 0 {
			body := make([]byte, n)
			_, err := io.ReadFull(p.in, body)
			require.NoError(t, err)
			return zmtp.Frame{More: flags&zmtp.FlagMore != 0, Command: flags&zmtp.FlagCommand != 0, Body: body}
		}
	}
}

// readable reports whether something has arrived, or arrives at once.
func (p *rawPeer) readable() bool {
	_ = p.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
	defer func() { _ = p.SetReadDeadline(time.Now().Add(patience)) }()
	_, err := p.in.Peek(1)
	return err == nil
}

// ended waits until the other end has closed the connection, and returns what
// it said before.
func (p *rawPeer) ended(t testing.TB) []byte {
	t.Helper()
	var said []byte
	buf := make([]byte, 4096)
	for {
		n, err := p.in.Read(buf)
		said = append(said, buf[:n]...)
		if err != nil {
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is still open")
			return said
		}
	}
}

// greeting is that of a NULL peer of the given version.
func greeting(major, minor byte) []byte {
	return zmtp.AppendGreeting(nil, zmtp.Greeting{Version: zmtp.Version{Major: major, Minor: minor}, Mechanism: "NULL"})
}

// readyOf is the READY of a peer of the given type; an empty one names none.
func readyOf(socketType string) []byte {
	p := zmtp.Properties{"X-Test": "1"}
	if socketType != "" {
		p[zmtp.SocketType] = socketType
	}
	return zmtp.AppendCommand(nil, zmtp.CommandReady, zmtp.AppendProperties(nil, p))
}

// frame is one frame of the wire.
func frame(flags byte, body []byte) []byte {
	return append(zmtp.AppendHeader(nil, flags, len(body)), body...)
}

// counterpart maps each type to the one that a test lets it talk to.
var counterpart = map[msgcore.Type]msgcore.Type{
	msgcore.Pair: msgcore.Pair, msgcore.Pub: msgcore.Sub, msgcore.Sub: msgcore.Pub,
	msgcore.Req: msgcore.Rep, msgcore.Rep: msgcore.Req, msgcore.Dealer: msgcore.Dealer,
	msgcore.Router: msgcore.Dealer, msgcore.Pull: msgcore.Push, msgcore.Push: msgcore.Pull,
	msgcore.XPub: msgcore.Sub, msgcore.XSub: msgcore.Pub,
	msgcore.Server: msgcore.Client, msgcore.Client: msgcore.Server,
	msgcore.Radio: msgcore.Dish, msgcore.Dish: msgcore.Radio,
	msgcore.Gather: msgcore.Scatter, msgcore.Scatter: msgcore.Gather,
	msgcore.Peer: msgcore.Peer, msgcore.Channel: msgcore.Channel,
}

// classicTypes are those that every libzmq has, and allTypes all.
var (
	classicTypes = []msgcore.Type{
		msgcore.Pair, msgcore.Pub, msgcore.Sub, msgcore.Req, msgcore.Rep, msgcore.Dealer,
		msgcore.Router, msgcore.Pull, msgcore.Push, msgcore.XPub, msgcore.XSub,
	}
	allTypes = append(slices.Clip(classicTypes),
		msgcore.Server, msgcore.Client, msgcore.Radio, msgcore.Dish,
		msgcore.Gather, msgcore.Scatter, msgcore.Peer, msgcore.Channel)
)

// wantAll makes a socket that subscribes hear everything that a test sends.
func wantAll(t testing.TB, s *msgcore.Socket) {
	t.Helper()
	switch s.Type() {
	case msgcore.Sub, msgcore.XSub:
		require.NoError(t, s.Subscribe(""))
	case msgcore.Dish:
		require.NoError(t, s.Join("group"))
	}
}

// healthy connects a well-behaved peer to s, which is bound to endpoint, and
// wants messages to pass in every direction that s has. What others have sent to
// s is skipped.
func healthy(t testing.TB, s *msgcore.Socket, endpoint string) {
	t.Helper()
	peer := msgcore.New(counterpart[s.Type()], nil)
	defer peer.Close()
	wantAll(t, peer)
	if s.Type() == msgcore.Peer {
		id, err := peer.ConnectPeer(limited(t), endpoint)
		require.NoError(t, err)
		token := "healthy " + t.Name()
		require.NoError(t, peer.SendMsg(limited(t), msgcore.Msg{Frames: [][]byte{[]byte(token)}, RoutingID: id}))
		require.NoError(t, awaitToken(t, s, token).Reply(limited(t), []byte(token)))
		awaitToken(t, peer, token)
		return
	}
	require.NoError(t, peer.Connect(endpoint))
	for i := range 3 {
		exchange(t, s, peer, fmt.Sprintf("healthy %d %s", i, t.Name()))
	}
}

// exchange passes a message with the given token between s and peer, in every
// direction that s has.
func exchange(t testing.TB, s, peer *msgcore.Socket, token string) {
	t.Helper()
	ctx := limited(t)
	body := []byte(token)
	pass := func(from, to *msgcore.Socket) msgcore.Msg {
		t.Helper()
		require.NoError(t, from.Send(ctx, body))
		return awaitToken(t, to, token)
	}
	answer := func(from, to *msgcore.Socket) {
		t.Helper()
		require.NoError(t, pass(from, to).Reply(ctx, body))
		awaitToken(t, from, token)
	}
	request := func(from, to *msgcore.Socket) {
		t.Helper()
		replied := make(chan error, 1)
		go func() {
			for m, err := range to.Messages(ctx) {
				if err == nil && strings.HasSuffix(string(m.Bytes()), token) {
					err = m.Reply(ctx, m.Frames[len(m.Frames)-1])
				} else if err == nil {
					continue
				}
				replied <- err
				return
			}
		}()
		m, err := from.Request(ctx, body)
		require.NoError(t, err)
		require.Equal(t, token, string(m.Bytes()))
		require.NoError(t, <-replied)
	}
	switch s.Type() {
	case msgcore.Pull, msgcore.Gather:
		pass(peer, s)
	case msgcore.Push, msgcore.Scatter:
		pass(s, peer)
	case msgcore.Sub, msgcore.XSub, msgcore.Dish:
		publish(t, peer, s, token)
	case msgcore.Pub, msgcore.XPub, msgcore.Radio:
		publish(t, s, peer, token)
	case msgcore.Req:
		request(s, peer)
	case msgcore.Rep, msgcore.Router:
		request(peer, s)
	case msgcore.Server:
		answer(peer, s)
	case msgcore.Client:
		answer(s, peer)
	default:
		pass(s, peer)
		pass(peer, s)
	}
}

// publish sends until to, which may not have subscribed yet, has heard it.
func publish(t testing.TB, from, to *msgcore.Socket, token string) {
	t.Helper()
	heard, cancel := context.WithCancel(limited(t))
	done := make(chan struct{})
	go func() {
		defer close(done)
		every := time.NewTicker(time.Millisecond)
		defer every.Stop()
		for heard.Err() == nil {
			if from.Type() == msgcore.Radio {
				_ = from.Send(heard, []byte("group"), []byte(token))
			} else {
				_ = from.Send(heard, []byte(token))
			}
			<-every.C
		}
	}()
	awaitToken(t, to, token)
	cancel()
	<-done
}

// awaitToken receives until the message with the token comes.
func awaitToken(t testing.TB, s *msgcore.Socket, token string) msgcore.Msg {
	t.Helper()
	ctx := limited(t)
	for {
		m, err := s.Recv(ctx)
		require.NoError(t, err)
		if string(m.Frames[len(m.Frames)-1]) == token {
			return m
		}
	}
}

// smallBuffers keep what the kernel holds small.
var smallBuffers = transport.Options{SendBuffer: 8 << 10, RecvBuffer: 8 << 10}

// fill sends numbered messages until the connection has taken no byte for a
// while, and returns how many; the last one is left to finish.
func (p *rawPeer) fill(t testing.TB) int {
	t.Helper()
	defer func() { require.NoError(t, p.SetWriteDeadline(time.Now().Add(patience))) }()
	for i := 0; ; i++ {
		b := frame(0, fmt.Appendf(nil, "%4000d", i))
		require.NoError(t, p.SetWriteDeadline(time.Now().Add(300*time.Millisecond)))
		if n, err := p.Write(b); err != nil {
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			p.rest = b[n:]
			return i + 1
		}
	}
}

// finish writes what fill has not.
func (p *rawPeer) finish() error {
	_, err := p.Write(p.rest)
	return err
}

// hasPeers reports whether s has a peer at this moment.
func hasPeers(s *msgcore.Socket) bool {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return s.WaitPeers(ctx, 1) == nil
}
