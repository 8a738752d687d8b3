package msgcore_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// A sniffer counts how often a command passes.
type sniffer struct {
	word []byte

	mu    sync.Mutex
	tail  []byte // may be the beginning of a word
	count int
	more  chan struct{} // closed and replaced when count grows
}

func newSniffer(command string) *sniffer {
	word := append([]byte{byte(len(command))}, command...)
	return &sniffer{word: word, more: make(chan struct{})}
}

func (s *sniffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail = append(s.tail, b...)
	if n := bytes.Count(s.tail, s.word); n > 0 {
		s.count += n
		s.tail = append([]byte(nil), s.tail[bytes.LastIndex(s.tail, s.word)+len(s.word):]...)
		close(s.more)
		s.more = make(chan struct{})
	}
	if keep := len(s.word) - 1; len(s.tail) > keep {
		s.tail = append([]byte(nil), s.tail[len(s.tail)-keep:]...)
	}
	return len(b), nil
}

func (s *sniffer) look() (int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, s.more
}

// await waits until n more have passed.
func (s *sniffer) await(t testing.TB, n int) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	first, _ := s.look()
	for {
		count, more := s.look()
		if count >= first+n {
			return
		}
		select {
		case <-more:
		case <-deadline.C:
			require.FailNow(t, "too few commands", "%s came %d times, want %d", s.word[1:], count-first, n)
		}
	}
}

// tap relays connections to a tcp endpoint, and lets up see what the client
// sends and down what the server does. It returns the endpoint to connect to.
func tap(t testing.TB, target string, up, down *sniffer) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	relay := func(to, from net.Conn, s *sniffer) {
		defer wg.Done()
		_, _ = io.Copy(io.MultiWriter(s, to), from)
		to.Close()
		from.Close()
	}
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", strings.TrimPrefix(target, "tcp://"))
			if err != nil {
				c.Close()
				continue
			}
			mu.Lock()
			conns = append(conns, c, s)
			mu.Unlock()
			wg.Add(2)
			go relay(s, c, up)
			go relay(c, s, down)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return "tcp://" + l.Addr().String()
}

// readCommand reads commands and messages up to a command of the given name,
// and returns its data. It answers nothing.
func (p *rawPeer) readCommand(t testing.TB, name string) []byte {
	t.Helper()
	for {
		f := p.readFrame(t)
		if !f.Command {
			continue
		}
		got, data, err := zmtp.ParseCommand(f.Body)
		require.NoError(t, err)
		if got == name {
			return data
		}
	}
}

func TestHeartbeatAnswersPings(t *testing.T) {
	for _, typ := range allTypes {
		t.Run(typ.String(), func(t *testing.T) {
			s := open(t, typ, nil)
			p := rawHandshake(t, bindTo(t, s, anyPort), counterpart[typ].String())
			for _, context := range []string{"", "x", "sixteen bytes ok"} {
				p.send(t, zmtp.AppendPing(nil, 0, []byte(context))...)
				require.Equal(t, context, string(p.readCommand(t, zmtp.CommandPong)))
			}
		})
	}
}

// A peer that asks to be given up is, and one that keeps talking is not.
func TestHeartbeatHonoursTheTimeToLive(t *testing.T) {
	o, w := watched(msgcore.Options{})
	s := open(t, msgcore.Pull, o)
	endpoint := bindTo(t, s, anyPort)
	quiet := rawHandshake(t, endpoint, "PUSH")
	began := time.Now()
	quiet.send(t, zmtp.AppendPing(nil, 200*time.Millisecond, nil)...)
	e := w.times(t, 1, msgcore.Disconnected)
	require.ErrorContains(t, e.Err, "200ms, the time to live")
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
	quiet.ended(t)
}

// kindsOf returns the events of one kind so far.
func (w *watch) kindsOf(kind msgcore.EventKind) (list []msgcore.Event) {
	seen, _ := w.events(0)
	for _, e := range seen {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}

func TestHeartbeatFindsSilentPeers(t *testing.T) {
	for _, typ := range allTypes {
		t.Run(typ.String(), func(t *testing.T) {
			t.Parallel()
			o, w := watched(msgcore.Options{Heartbeat: msgcore.Heartbeat{
				Interval: 20 * time.Millisecond, Timeout: 60 * time.Millisecond, TTL: 2 * time.Second,
			}})
			s := open(t, typ, o)
			p := rawHandshake(t, bindTo(t, s, anyPort), counterpart[typ].String())
			e := w.times(t, 1, msgcore.Disconnected)
			require.ErrorContains(t, e.Err, "silent")
			require.ErrorContains(t, e.Err, "60ms of a PING")
			said := string(p.ended(t))
			require.Contains(t, said, "\x04PING\x00\x14")
		})
	}
}

// Sockets that have nothing to say keep each other alive.
func TestHeartbeatKeepsIdlePeers(t *testing.T) {
	hb := msgcore.Heartbeat{Interval: 20 * time.Millisecond, Timeout: 5 * time.Second, TTL: 10 * time.Second}
	ro, w := watched(msgcore.Options{Heartbeat: hb})
	req, rep := open(t, msgcore.Req, &msgcore.Options{Heartbeat: hb}), open(t, msgcore.Rep, ro)
	up, down := newSniffer("PONG"), newSniffer("PONG")
	require.NoError(t, req.Connect(tap(t, bindTo(t, rep, anyPort), up, down)))
	up.await(t, 10)
	down.await(t, 10)
	exchange(t, rep, req, "still there")
	require.Empty(t, w.kindsOf(msgcore.Disconnected))
}

// While nobody receives, the connection cannot be read: the peer, which stays
// silent for all we can tell, is not given up, and hears PONGs, unasked, so that
// it does not give us up.
func TestHeartbeatWhileNobodyReceives(t *testing.T) {
	o, w := watched(msgcore.Options{
		RecvHWM:   1,
		Heartbeat: msgcore.Heartbeat{Interval: 20 * time.Millisecond, Timeout: 500 * time.Millisecond},
		Transport: smallBuffers,
	})
	s := open(t, msgcore.Pull, o)
	p := rawHandshake(t, bindTo(t, s, anyPort), "PUSH")
	for range 3 { // tells how often it asks
		p.send(t, zmtp.AppendPing(nil, time.Minute, nil)...)
		p.readCommand(t, zmtp.CommandPong)
	}
	n := p.fill(t)
	for range 50 { // twice the time-out
		p.readCommand(t, zmtp.CommandPong)
		p.readCommand(t, zmtp.CommandPing)
	}
	require.Empty(t, w.kindsOf(msgcore.Disconnected))
	finished := make(chan error, 1)
	go func() { finished <- p.finish() }()
	for i := range n {
		m, err := s.Recv(limited(t))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), strings.TrimLeft(string(m.Frames[0]), " "))
	}
	require.NoError(t, <-finished)
}

// It is the same when somebody receives now and then.
func TestHeartbeatWhileSomebodyReceivesSlowly(t *testing.T) {
	o, w := watched(msgcore.Options{RecvHWM: 1, Transport: smallBuffers})
	s := open(t, msgcore.Pull, o)
	p := rawHandshake(t, bindTo(t, s, anyPort), "PUSH")
	for range 3 {
		p.send(t, zmtp.AppendPing(nil, time.Minute, nil)...)
		p.readCommand(t, zmtp.CommandPong)
	}
	n := p.fill(t) - 1
	for p.readable() {
		p.readFrame(t) // what it has heard so far
	}
	stop := make(chan struct{})
	received := make(chan error, 1)
	go func() {
		every := time.NewTicker(3 * time.Millisecond) // oftener than PONGs are due
		defer every.Stop()
		for range n {
			select {
			case <-every.C:
			case <-stop:
				received <- nil
				return
			}
			if _, err := s.Recv(limited(t)); err != nil {
				received <- err
				return
			}
		}
		s.Close() // too late: the PONGs must come meanwhile
		received <- nil
	}()
	for range 5 {
		p.readCommand(t, zmtp.CommandPong)
	}
	close(stop)
	require.NoError(t, <-received)
	require.Empty(t, w.kindsOf(msgcore.Disconnected))
}

// libzmq drops a peer that leaves its PINGs unanswered.
func TestHeartbeatInteropTheyPing(t *testing.T) {
	py := startPython(t)
	for _, typ := range classicTypes {
		t.Run(typ.String(), func(t *testing.T) {
			t.Parallel()
			o, w := watched(msgcore.Options{})
			s := open(t, typ, o)
			theirs := py.open(t, counterpart[typ].String(), pyOptions{
				"HEARTBEAT_IVL": 10, "HEARTBEAT_TIMEOUT": 30000, "HEARTBEAT_TTL": 60000,
			})
			up, down := newSniffer("PING"), newSniffer("PONG")
			theirs.do(t, "connect", tap(t, bindTo(t, s, anyPort), up, down))
			up.await(t, 10)
			down.await(t, 10)
			require.Empty(t, w.kindsOf(msgcore.Disconnected))
		})
	}
}
