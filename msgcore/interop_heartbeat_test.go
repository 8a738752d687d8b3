package msgcore_test

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// A slowRelay passes connections on to a tcp endpoint, not faster than it is
// told, or not at all.
type slowRelay struct {
	endpoint string
	rate     int64 // bytes a second in each direction; 0: no bound

	mu    sync.Mutex
	conns []*atomic.Bool // for each connection, whether what the target says gets lost
}

// deafen lets the clients of all connections so far hear nothing any more.
func (r *slowRelay) deafen() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Store(true)
	}
}

func newSlowRelay(t testing.TB, target string, rate int64) *slowRelay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &slowRelay{endpoint: "tcp://" + l.Addr().String(), rate: rate}
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
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
			up, down := new(atomic.Bool), new(atomic.Bool)
			r.mu.Lock()
			r.conns = append(r.conns, down)
			r.mu.Unlock()
			all.Go(func() { r.pass(s, c, up) })
			all.Go(func() { r.pass(c, s, down) })
			all.Go(func() {
				<-done
				c.Close()
				s.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		close(done)
		all.Wait()
	})
	return r
}

// pass copies until either side ends, or throws away if lost says so.
func (r *slowRelay) pass(to, from net.Conn, lost *atomic.Bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 64<<10)
	began, passed := time.Now(), int64(0)
	for {
		n, err := from.Read(b)
		if n > 0 && !lost.Load() {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
		if passed += int64(n); r.rate > 0 { // what a busy machine has held up is made up for
			<-time.After(time.Until(began.Add(time.Duration(passed * int64(time.Second) / r.rate))))
		}
	}
}

// libzmq gives us up when it hears nothing any more, finds us again, and talks
// as before.
func TestHeartbeatInteropTheyHearNothing(t *testing.T) {
	py := startPython(t)
	// It may be back before we know that it was gone, and what is refused once
	// libzmq does not try again.
	o, w := watched(msgcore.Options{Router: msgcore.RouterOptions{Handover: true}})
	router := open(t, msgcore.Router, o)
	r := newSlowRelay(t, bindTo(t, router, anyPort), 0)
	theirs := py.open(t, "DEALER", pyOptions{
		"IDENTITY": "they", "HEARTBEAT_IVL": 50, "HEARTBEAT_TIMEOUT": 1000, "RECONNECT_IVL": 20,
	})
	theirs.do(t, "connect", r.endpoint)
	talk := func(word string) {
		theirs.send(t, word)
		require.Equal(t, []string{"they", word}, recvTexts(t, router))
		sendTexts(t, router, "they", word)
		require.Equal(t, []string{word}, theirs.recv(t))
	}
	talk("before")
	n := w.count()
	r.deafen()
	w.after(t, n, msgcore.Disconnected)
	talk("after")
}

// While much crawls through a slow relay, for longer than the time-out, neither
// side gives the other one up.
func TestHeartbeatInteropCrawl(t *testing.T) {
	const timeout = 4 * time.Second
	rate := int64(sized(2<<20, 10<<20)) // bytes a second
	size := sized(14<<20, 100<<20)
	hb := msgcore.Heartbeat{Interval: 100 * time.Millisecond, Timeout: timeout}
	theirHB := pyOptions{"HEARTBEAT_IVL": 100, "HEARTBEAT_TIMEOUT": 4000, "HEARTBEAT_TTL": 4000}
	py := startPython(t)
	t.Run("to us, in one message", func(t *testing.T) {
		t.Parallel()
		o, w := watched(msgcore.Options{Heartbeat: hb})
		pull := open(t, msgcore.Pull, o)
		theirs := py.open(t, "PUSH", theirHB)
		began := time.Now()
		theirs.do(t, "connect", newSlowRelay(t, bindTo(t, pull, anyPort), rate).endpoint)
		sent := theirs.start(t, "send_large", 1, size)
		m, err := pull.Recv(limited(t))
		require.NoError(t, err)
		require.Len(t, m.Bytes(), size)
		require.Greater(t, time.Since(began), timeout*3/2, "it was not slow enough")
		require.Empty(t, w.kindsOf(msgcore.Disconnected))
		py.await(t, sent)
	})
	// libzmq takes the pieces of a message for no sign of life, so that there are
	// several.
	t.Run("to them, in many", func(t *testing.T) {
		t.Parallel()
		const each = 64 << 10
		o, w := watched(msgcore.Options{Heartbeat: hb, SendHWM: 1})
		push := open(t, msgcore.Push, o)
		theirs := py.open(t, "PULL", theirHB)
		began := time.Now()
		theirs.do(t, "connect", newSlowRelay(t, bindTo(t, push, anyPort), rate).endpoint)
		received := theirs.start(t, "recv_large", size/each, each)
		for range size / each {
			require.NoError(t, push.Send(limited(t), make([]byte, each)))
		}
		require.Empty(t, w.kindsOf(msgcore.Disconnected))
		py.await(t, received)
		require.Greater(t, time.Since(began), timeout*3/2, "it was not slow enough")
		require.Empty(t, w.kindsOf(msgcore.Disconnected))
	})
}

// While nobody receives here, and back-pressure has stopped our reading, libzmq
// goes on hearing PONGs and stays.
func TestHeartbeatInteropParked(t *testing.T) {
	const messages, size = 2000, 10000
	py := startPython(t)
	o, w := watched(msgcore.Options{
		RecvHWM: 1, Transport: smallBuffers,
		Heartbeat: msgcore.Heartbeat{Interval: 50 * time.Millisecond, Timeout: time.Second},
	})
	pull := open(t, msgcore.Pull, o)
	up, down := newSniffer("PING"), newSniffer("PONG")
	theirs := py.open(t, "PUSH", pyOptions{
		"HEARTBEAT_IVL": 20, "HEARTBEAT_TIMEOUT": 1000, "HEARTBEAT_TTL": 1000, "SNDHWM": 10, "SNDBUF": 8 << 10,
	})
	theirs.do(t, "connect", tap(t, bindTo(t, pull, anyPort), up, down))
	up.await(t, 5) // so that we know how often they come
	sent := theirs.start(t, "send_large", messages, size)
	began := time.Now()
	for time.Since(began) < 3*time.Second { // three times the time-out
		down.await(t, 10)
	}
	require.Empty(t, w.kindsOf(msgcore.Disconnected))
	for range messages {
		m, err := pull.Recv(limited(t))
		require.NoError(t, err)
		require.Len(t, m.Bytes(), size)
	}
	py.await(t, sent)
	require.Empty(t, w.kindsOf(msgcore.Disconnected))
}
