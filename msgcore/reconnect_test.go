package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// REQ, DEALER, PUSH, PAIR and SUB are started, and used, before their server is
// there.
func TestReconnectStartedBeforeTheServer(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		scheme, _, _ := strings.Cut(endpoint, "://")
		for _, typ := range []msgcore.Type{msgcore.Req, msgcore.Dealer, msgcore.Push, msgcore.Pair, msgcore.Sub} {
			t.Run(typ.String(), func(t *testing.T) {
				endpoint := unused(t, scheme)
				o, w := watched(msgcore.Options{Reconnect: msgcore.Reconnect{Interval: 10 * time.Millisecond}})
				s := open(t, typ, o)
				require.NoError(t, s.Connect(endpoint))
				replied := make(chan error, 1)
				switch typ {
				case msgcore.Sub:
					require.NoError(t, s.Subscribe("early"))
				case msgcore.Req:
					go func() {
						m, err := s.Request(limited(t), []byte("early"))
						if err == nil && string(m.Bytes()) != "served" {
							err = fmt.Errorf("got %q", m.Bytes())
						}
						replied <- err
					}()
				default:
					for i := range 3 {
						sendTexts(t, s, "early", fmt.Sprint(i))
					}
				}
				if scheme != "inproc" {
					require.Error(t, w.times(t, 2, msgcore.ConnectRetried).Err)
				}
				server := open(t, counterpart[typ], nil)
				bindTo(t, server, endpoint)
				switch typ {
				case msgcore.Sub:
					require.NoError(t, server.WaitSubscribers(limited(t), 1))
					sendTexts(t, server, "late")
					sendTexts(t, server, "early", "bird")
					require.Equal(t, []string{"early", "bird"}, recvTexts(t, s))
				case msgcore.Req:
					require.Equal(t, []string{"early"}, recvTexts(t, server))
					sendTexts(t, server, "served")
					require.NoError(t, <-replied)
				default:
					for i := range 3 {
						require.Equal(t, []string{"early", fmt.Sprint(i)}, recvTexts(t, server))
					}
				}
			})
		}
	})
}

// A server goes away and another one takes its place: what was said to none of
// them reaches the second, and subscriptions are there again.
func TestReconnectToARestartedServer(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		scheme, _, _ := strings.Cut(endpoint, "://")
		for _, typ := range []msgcore.Type{msgcore.Req, msgcore.Dealer, msgcore.Push, msgcore.Pair, msgcore.Sub} {
			t.Run(typ.String(), func(t *testing.T) {
				endpoint := unused(t, scheme)
				o, w := watched(msgcore.Options{RoutingID: "me", Reconnect: msgcore.Reconnect{Interval: 10 * time.Millisecond}})
				s := open(t, typ, o)
				if typ == msgcore.Sub {
					require.NoError(t, s.Subscribe(""))
				}
				require.NoError(t, s.Connect(endpoint))
				for i := range 3 {
					server := msgcore.New(counterpart[typ], nil)
					bindTo(t, server, endpoint)
					if i > 0 && (typ == msgcore.Dealer || typ == msgcore.Push) {
						awaitToken(t, server, "while it was away")
					}
					exchange(t, server, s, fmt.Sprint("server ", i))
					require.NoError(t, server.Close())
					w.times(t, i+1, msgcore.Disconnected)
					if i < 2 && (typ == msgcore.Dealer || typ == msgcore.Push) {
						sendTexts(t, s, "while it was away")
					}
				}
			})
		}
	})
}

// A publisher that comes back hears the subscriptions of that moment.
func TestReconnectTellsSubscriptionsAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	o, w := watched(msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond}})
	sub := open(t, msgcore.Sub, o)
	for _, topic := range []string{"a", "b", "b", ""} {
		require.NoError(t, sub.Subscribe(topic))
	}
	require.NoError(t, sub.Connect("tcp://"+l.Addr().String()))
	hears := func(want ...string) {
		t.Helper()
		p := rawAccept(t, l, "XPUB")
		var got []string
		for range want {
			prefix, on, ok := zmtp.ParseSubscription(p.readFrame(t))
			require.True(t, ok && on)
			got = append(got, string(prefix))
		}
		slices.Sort(got)
		require.Equal(t, want, got)
		// No more than that: the answer to a PING comes next.
		p.send(t, zmtp.AppendPing(nil, 0, nil)...)
		require.Equal(t, zmtp.AppendCommandBody(nil, zmtp.CommandPong, nil), p.readFrame(t).Body)
		p.Close()
	}
	hears("", "a", "b")
	w.times(t, 1, msgcore.Disconnected)
	hears("", "a", "b")
	w.times(t, 2, msgcore.Disconnected)
	require.NoError(t, sub.Unsubscribe("a"))
	require.NoError(t, sub.Unsubscribe("b"))
	require.NoError(t, sub.Unsubscribe(""))
	require.NoError(t, sub.Subscribe("c"))
	// It may be connected already, and hear of the changes one by one: end that.
	rawAccept(t, l, "XPUB").Close()
	hears("b", "c")
}

// rawAccept accepts a connection and shakes hands as a socket of the given type.
func rawAccept(t testing.TB, l net.Listener, socketType string) *rawPeer {
	t.Helper()
	c, err := l.Accept()
	require.NoError(t, err)
	return rawOver(t, c.(*net.TCPConn), socketType)
}

// libzmq clients find a restarted server of ours.
func TestReconnectInterop(t *testing.T) {
	py := startPython(t)
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			subAt, dealAt := unused(t, scheme), unused(t, scheme)
			sub := py.open(t, "SUB", pyOptions{"SUBSCRIBE": "a", "RECONNECT_IVL": 10})
			deal := py.open(t, "DEALER", pyOptions{"RECONNECT_IVL": 10})
			sub.do(t, "connect", subAt)
			deal.do(t, "connect", dealAt)
			for i := range 3 {
				pub, rep := msgcore.NewPub(nil), msgcore.NewRep(nil)
				bindTo(t, pub, subAt)
				bindTo(t, rep, dealAt)
				got := sub.start(t, "recv") // libzmq does not tell its subscriptions again unless it is waited for
				require.NoError(t, pub.WaitSubscribers(limited(t), 1))
				sendTexts(t, pub, "b")
				sendTexts(t, pub, "a", fmt.Sprint(i))
				require.Equal(t, []string{"a", fmt.Sprint(i)}, pyFrames(t, py.await(t, got)))
				deal.send(t, "", fmt.Sprint(i))
				require.Equal(t, []string{fmt.Sprint(i)}, recvTexts(t, rep))
				sendTexts(t, rep, "done")
				require.Equal(t, []string{"", "done"}, deal.recv(t))
				require.NoError(t, pub.Close())
				require.NoError(t, rep.Close())
			}
		})
	}
}

var errRefused = errors.New("fake: connection refused")

// The pause doubles up to Max, less a random part of up to a quarter, and begins
// anew after a connection that worked. Time is faked.
func TestReconnectBacksOff(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name    string
		again   msgcore.Reconnect
		success int    // the dial that leads to a connection, once
		says    []byte // what comes over it
		pauses  []time.Duration
	}{
		{"doubling", msgcore.Reconnect{Interval: 100 * ms, Max: time.Second}, -1, nil, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1000 * ms, 1000 * ms}},
		{"anew after success", msgcore.Reconnect{Interval: 10 * ms, Max: 50 * ms}, 3, nil, []time.Duration{10 * ms, 20 * ms, 40 * ms, 10 * ms, 20 * ms, 40 * ms, 50 * ms}},
		{"on after a refusal", msgcore.Reconnect{Interval: 10 * ms, Max: 50 * ms}, 1, command("\x05ERROR\x02no"), []time.Duration{10 * ms, 20 * ms, 40 * ms, 50 * ms}},
		{"defaults", msgcore.Reconnect{}, -1, nil, []time.Duration{100 * ms, 100 * ms, 100 * ms}},
		{"no growth", msgcore.Reconnect{Interval: 30 * ms}, -1, nil, []time.Duration{30 * ms, 30 * ms, 30 * ms}},
		{"a maximum below the interval", msgcore.Reconnect{Interval: 30 * ms, Max: ms}, -1, nil, []time.Duration{30 * ms, 30 * ms, 30 * ms}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dialed := make(chan int)
				n := -1
				f := &fake{dial: func(ctx context.Context) (net.Conn, error) {
					n++
					select {
					case dialed <- n:
					case <-ctx.Done():
						return nil, ctx.Err()
					}
					if n == c.success {
						return brief(t, c.says), nil
					}
					return nil, errRefused
				}}
				o, w := watched(msgcore.Options{Reconnect: c.again})
				s := open(t, msgcore.Sub, o)
				require.NoError(t, s.Connect(f.setUp(t.Name())))
				<-dialed
				spread := map[bool]int{}
				for i, want := range c.pauses {
					began := time.Now()
					require.Equal(t, i+1, <-dialed)
					pause := time.Since(began)
					require.LessOrEqual(t, pause, want, "pause %d", i)
					require.GreaterOrEqual(t, pause, want*3/4, "pause %d", i)
					spread[pause == want]++
				}
				require.Positive(t, spread[false], "no jitter")
				synctest.Wait()
				retried := w.kindsOf(msgcore.ConnectRetried)
				require.Len(t, retried, len(c.pauses)+1)
				require.ErrorIs(t, retried[0].Err, errRefused)
			})
		})
	}
}

// brief is a connection to a peer that shakes hands, says something and goes
// away.
func brief(t testing.TB, says []byte) net.Conn {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		_, err := zmtp.Handshake(context.Background(), far, &zmtp.Config{Properties: zmtp.Properties{zmtp.SocketType: "PUB"}})
		if err == nil && len(says) > 0 {
			_, err = far.Write(says)
		}
		if err != nil {
			t.Error(err)
		}
	}()
	return near
}

// A negative interval never dials again, whether the first dial failed, its
// handshake, or the connection later.
func TestReconnectNever(t *testing.T) {
	for _, c := range []struct {
		name string
		dial func(t *testing.T) (net.Conn, error)
		last msgcore.EventKind
	}{
		{"refused", func(*testing.T) (net.Conn, error) { return nil, errRefused }, msgcore.Closed},
		{"handshake failed", func(*testing.T) (net.Conn, error) {
			near, far := net.Pipe()
			far.Close()
			return near, nil
		}, msgcore.HandshakeFailed},
		{"lost", func(t *testing.T) (net.Conn, error) { return brief(t, nil), nil }, msgcore.Disconnected},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var dials atomic.Int32
				f := &fake{dial: func(context.Context) (net.Conn, error) {
					dials.Add(1)
					return c.dial(t)
				}}
				o, w := watched(msgcore.Options{Reconnect: msgcore.Reconnect{Interval: -1}})
				s := open(t, msgcore.Sub, o)
				require.NoError(t, s.Connect(f.setUp(t.Name())))
				time.Sleep(24 * time.Hour) // of the bubble
				require.EqualValues(t, 1, dials.Load())
				require.Len(t, w.kindsOf(c.last), 1)
				closed := w.kindsOf(msgcore.Closed)
				require.Len(t, closed, 1)
				require.Error(t, closed[0].Err)
				require.Empty(t, w.kindsOf(msgcore.ConnectRetried))
			})
		})
	}
}

// Out of file descriptors, the accept loop pauses, longer and longer, says so,
// and goes on once there are some.
func TestReconnectAcceptOutOfFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const failures = 12
		var at []time.Time
		near, far := net.Pipe()
		closed := make(chan struct{})
		f := &fake{close: func() { close(closed) }}
		f.accept = func() (net.Conn, error) {
			at = append(at, time.Now())
			switch n := len(at); {
			case n <= failures:
				return nil, &net.OpError{Op: "accept", Net: "fake", Err: syscall.EMFILE}
			case n == failures+1:
				return near, nil
			case n == failures+2: // a success has made the pause short again
				return nil, &net.OpError{Op: "accept", Net: "fake", Err: syscall.EMFILE}
			}
			<-closed
			return nil, net.ErrClosed
		}
		o, w := watched(msgcore.Options{})
		s := open(t, msgcore.Pull, o)
		bindTo(t, s, f.setUp(t.Name()))
		_, err := zmtp.Handshake(t.Context(), far, &zmtp.Config{Properties: zmtp.Properties{zmtp.SocketType: "PUSH"}})
		require.NoError(t, err)
		_, err = far.Write(frame(0, []byte("good")))
		require.NoError(t, err)
		synctest.Wait()
		m, ok, err := s.TryRecv()
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "good", string(m.Bytes()))
		time.Sleep(time.Minute) // of the bubble
		far.Close()
		synctest.Wait()

		require.Len(t, at, failures+3)
		pause := 5 * time.Millisecond
		for i := 1; i <= failures; i++ {
			require.Equal(t, pause, at[i].Sub(at[i-1]), "pause %d", i)
			pause = min(2*pause, time.Second)
		}
		require.Equal(t, 5*time.Millisecond, at[failures+2].Sub(at[failures+1]))
		failed := w.kindsOf(msgcore.AcceptFailed)
		require.Len(t, failed, failures+1)
		require.ErrorIs(t, failed[0].Err, syscall.EMFILE)
		require.Len(t, w.kindsOf(msgcore.Accepted), 1)
	})
}
