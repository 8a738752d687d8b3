package msgcore_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport/simnet"
)

// A sim is two hosts and the link between them. Time is the bubble's.
type sim struct {
	network        *simnet.Network
	server, client *simnet.Host
	link           *simnet.Link
}

const (
	simBind = "tcp://*:5555"
	simDial = "tcp://server:5555"
)

// simulate runs test in a bubble.
func simulate(t *testing.T, test func(t *testing.T, n *sim)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &sim{network: simnet.New()}
		n.server, n.client = n.network.Host("server"), n.network.Host("client")
		n.link = n.client.Link(n.server)
		test(t, n)
	})
}

// at opens a socket on a host, and what hears of it.
func at(t testing.TB, h *simnet.Host, typ msgcore.Type, o msgcore.Options) (*msgcore.Socket, *watch) {
	t.Helper()
	o.Transports = h.Lookup
	opts, w := watched(o)
	return open(t, typ, opts), w
}

// pair binds a socket on the server and connects one on the client to it.
func (n *sim) pair(t testing.TB, bound, connected msgcore.Type, bo, co msgcore.Options) (b, c *msgcore.Socket) {
	t.Helper()
	b, _ = at(t, n.server, bound, bo)
	c, _ = at(t, n.client, connected, co)
	bindTo(t, b, simBind)
	require.NoError(t, c.Connect(simDial))
	require.NoError(t, b.WaitPeers(t.Context(), 1))
	require.NoError(t, c.WaitPeers(t.Context(), 1))
	return b, c
}

// dial connects to the server and says nothing.
func (n *sim) dial(t testing.TB) net.Conn {
	t.Helper()
	tr, _ := n.client.Lookup("tcp")
	c, err := tr.Dial(t.Context(), "server:5555", nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// raw connects to the server and shakes hands as a socket of the given type that
// then does nothing by itself.
func (n *sim) raw(t testing.TB, socketType string) (net.Conn, *zmtp.Conn) {
	t.Helper()
	c := n.dial(t)
	z, err := zmtp.Handshake(t.Context(), c, &zmtp.Config{Properties: zmtp.Properties{zmtp.SocketType: socketType}})
	require.NoError(t, err)
	return c, z
}

// takes checks how much of the bubble's time f takes.
func takes(t testing.TB, want time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	f()
	require.Equal(t, want, time.Since(began))
}

// happens waits for the n-th event of kind, for as long as it takes.
func (w *watch) happens(n int, kind msgcore.EventKind) msgcore.Event {
	for {
		_, more := w.events(0)
		if list := w.kindsOf(kind); len(list) >= n {
			return list[n-1]
		}
		<-more
	}
}

// recvNow receives what is there already.
func recvNow(t testing.TB, s *msgcore.Socket) []string {
	t.Helper()
	synctest.Wait()
	m, ok, err := s.TryRecv()
	require.NoError(t, err)
	require.True(t, ok, "nothing has come")
	return texts(m)
}

// Every pair of types gets its messages over a link that takes its time.
func TestSimEveryPair(t *testing.T) {
	for _, c := range couples {
		t.Run(fmt.Sprint(c[0], "-", c[1]), func(t *testing.T) {
			simulate(t, func(t *testing.T, n *sim) {
				n.link.SetDelay(10 * time.Millisecond)
				s, _ := at(t, n.server, c[0], msgcore.Options{})
				wantAll(t, s)
				bindTo(t, s, simBind)
				peer, _ := at(t, n.client, c[1], msgcore.Options{})
				wantAll(t, peer)
				if c[0] == msgcore.Peer {
					id, err := peer.ConnectPeer(t.Context(), simDial)
					require.NoError(t, err)
					require.NoError(t, peer.SendMsg(t.Context(), msgcore.Msg{RoutingID: id, Frames: [][]byte{[]byte("there")}}))
					require.Equal(t, []string{"there"}, recvTexts(t, s))
					return
				}
				require.NoError(t, peer.Connect(simDial))
				require.NoError(t, s.WaitPeers(t.Context(), 1))
				if c[0] == msgcore.Dealer {
					s, peer = peer, s
				}
				exchange(t, s, peer, "there")
			})
		})
	}
}

func TestSimRoundTrip(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		rep, req := n.pair(t, msgcore.Rep, msgcore.Req, msgcore.Options{}, msgcore.Options{})
		n.link.SetDelay(40 * time.Millisecond)
		go func() {
			for m, err := range rep.Messages(context.Background()) {
				if err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
				_ = rep.Send(context.Background(), m.Frames...)
			}
		}()
		for range 3 {
			takes(t, 85*time.Millisecond, func() {
				m, err := req.Request(t.Context(), []byte("x"))
				require.NoError(t, err)
				require.Equal(t, []string{"x"}, texts(m))
			})
		}
	})
}

// A connection that breaks is dialed again after the pause, and what was queued
// meanwhile gets there.
func TestSimReconnect(t *testing.T) {
	const pause = 400 * time.Millisecond
	simulate(t, func(t *testing.T, n *sim) {
		pull, push := n.pair(t, msgcore.Pull, msgcore.Push, msgcore.Options{}, msgcore.Options{
			Reconnect: msgcore.Reconnect{Interval: pause},
		})
		for i := range 5 {
			require.Equal(t, 1, n.link.Reset())
			synctest.Wait()
			began := time.Now()
			sendTexts(t, push, fmt.Sprint(i))
			require.Equal(t, []string{fmt.Sprint(i)}, recvTexts(t, pull))
			took := time.Since(began)
			require.LessOrEqual(t, took, pause)
			require.GreaterOrEqual(t, took, pause*3/4)
		}
	})
}

// While the server is away, the pauses grow; they begin anew with a connection.
func TestSimBackOff(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		s, w := at(t, n.client, msgcore.Dealer, msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Second, Max: time.Minute}})
		require.NoError(t, s.Connect(simDial))
		time.Sleep(time.Hour)
		retried := w.kindsOf(msgcore.ConnectRetried)
		for i := 1; i < len(retried); i++ {
			want := min(time.Second<<min(i-1, 10), time.Minute)
			got := retried[i].Time.Sub(retried[i-1].Time)
			require.LessOrEqual(t, got, want)
			require.GreaterOrEqual(t, got, want*3/4)
		}
		require.GreaterOrEqual(t, len(retried), 60)
		server, _ := at(t, n.server, msgcore.Dealer, msgcore.Options{})
		bindTo(t, server, simBind)
		require.NoError(t, s.WaitPeers(t.Context(), 1))
		n.link.Reset()
		synctest.Wait()
		began := time.Now()
		require.NoError(t, s.WaitPeers(t.Context(), 1))
		require.LessOrEqual(t, time.Since(began), time.Second)
	})
}

// A dial into a partition waits for its time-out, and the next one finds the
// server.
func TestSimConnectTimeout(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		server, _ := at(t, n.server, msgcore.Pair, msgcore.Options{})
		bindTo(t, server, simBind)
		n.link.Cut()
		s, w := at(t, n.client, msgcore.Pair, msgcore.Options{ConnectTimeout: 3 * time.Second})
		began := time.Now()
		require.NoError(t, s.Connect(simDial))
		e := w.happens(1, msgcore.ConnectRetried)
		require.ErrorIs(t, e.Err, context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, e.Time.Sub(began))
		n.link.Mend()
		require.NoError(t, s.WaitPeers(t.Context(), 1))
	})
}

// Who comes first gets the first message, whoever began first.
func TestSimOrderOfConnects(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		router, _ := at(t, n.server, msgcore.Router, msgcore.Options{Router: msgcore.RouterOptions{Notify: msgcore.NotifyConnect}})
		bindTo(t, router, simBind)
		for name, delay := range map[string]time.Duration{"last": 9, "second": 2, "first": 1} {
			h := n.network.Host(name)
			h.Link(n.server).SetDelay(delay * time.Millisecond)
			s, _ := at(t, h, msgcore.Dealer, msgcore.Options{RoutingID: name})
			require.NoError(t, s.Connect(simDial))
		}
		for _, name := range []string{"first", "second", "last"} {
			require.Equal(t, []string{name, ""}, recvTexts(t, router))
		}
	})
}

// A subscriber that comes back has the same subscriptions, those that changed
// meanwhile included.
func TestSimSubscriptionsAreToldAgain(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		pub, sub := n.pair(t, msgcore.Pub, msgcore.Sub, msgcore.Options{}, msgcore.Options{})
		require.NoError(t, sub.Subscribe("a"))
		require.NoError(t, sub.Subscribe("b"))
		require.NoError(t, pub.WaitSubscribers(t.Context(), 2))
		n.link.Reset()
		synctest.Wait()
		require.NoError(t, sub.Unsubscribe("a"))
		require.NoError(t, sub.Subscribe("c"))
		require.NoError(t, pub.WaitSubscribers(t.Context(), 2))
		for _, topic := range []string{"a", "b", "c"} {
			sendTexts(t, pub, topic)
		}
		require.Equal(t, []string{"b"}, recvNow(t, sub))
		require.Equal(t, []string{"c"}, recvNow(t, sub))
		_, ok, err := sub.TryRecv()
		require.NoError(t, err)
		require.False(t, ok)
	})
}

// A request into a partition is given up by its context alone; one that waits
// gets its reply once the link is mended.
func TestSimRequestAcrossPartition(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		rep, req := n.pair(t, msgcore.Rep, msgcore.Req, msgcore.Options{}, msgcore.Options{})
		go func() {
			for m, err := range rep.Messages(context.Background()) {
				if err != nil {
					return
				}
				_ = rep.Send(context.Background(), m.Frames...)
			}
		}()
		n.link.Cut()
		takes(t, time.Minute, func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := req.Request(ctx, []byte("given up"))
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		time.AfterFunc(time.Hour, n.link.Mend)
		takes(t, time.Hour, func() {
			m, err := req.Request(t.Context(), []byte("patient"))
			require.NoError(t, err)
			require.Equal(t, []string{"patient"}, texts(m))
		})
	})
}
