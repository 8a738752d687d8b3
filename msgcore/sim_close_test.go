package msgcore_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// A Send that waits, because the peer hears nothing, and a Recv beside it end with
// net.ErrClosed when their socket is closed, for every type that
// has them: a RADIO never waits.
func TestSimCloseWakesSendAndRecv(t *testing.T) {
	mandatory := msgcore.Options{Router: msgcore.RouterOptions{Mandatory: true}}
	noDrop := msgcore.Options{Pub: msgcore.PubOptions{NoDrop: true}}
	for _, c := range []struct {
		typ, peer msgcore.Type
		o         msgcore.Options
		drops     bool // Send never waits
	}{
		{msgcore.Pair, msgcore.Pair, msgcore.Options{}, false},
		{msgcore.Pub, msgcore.Sub, noDrop, false},
		{msgcore.Sub, msgcore.Pub, msgcore.Options{}, true},
		{msgcore.Req, msgcore.Rep, msgcore.Options{}, true}, // in lockstep; Request is what waits
		{msgcore.Rep, msgcore.Req, msgcore.Options{}, true},
		{msgcore.Dealer, msgcore.Router, msgcore.Options{}, false},
		{msgcore.Router, msgcore.Dealer, mandatory, false},
		{msgcore.Pull, msgcore.Push, msgcore.Options{}, true},
		{msgcore.Push, msgcore.Pull, msgcore.Options{}, false},
		{msgcore.XPub, msgcore.XSub, noDrop, false},
		{msgcore.XSub, msgcore.XPub, msgcore.Options{}, true},
		{msgcore.Stream, msgcore.Stream, msgcore.Options{}, false},
		{msgcore.Server, msgcore.Client, msgcore.Options{}, false},
		{msgcore.Client, msgcore.Server, msgcore.Options{}, false},
		{msgcore.Dish, msgcore.Radio, msgcore.Options{}, true},
		{msgcore.Gather, msgcore.Scatter, msgcore.Options{}, true},
		{msgcore.Scatter, msgcore.Gather, msgcore.Options{}, false},
		{msgcore.Peer, msgcore.Peer, msgcore.Options{}, false},
		{msgcore.Channel, msgcore.Channel, msgcore.Options{}, false},
	} {
		t.Run(c.typ.String(), func(t *testing.T) {
			simulate(t, func(t *testing.T, n *sim) {
				c.o.SendHWM, c.o.Linger = 1, msgcore.Discard
				peer, _ := at(t, n.server, c.peer, msgcore.Options{RoutingID: idFor(c.peer), Linger: msgcore.Discard})
				wantAll(t, peer)
				bindTo(t, peer, simBind)
				s, _ := at(t, n.client, c.typ, c.o)
				wantAll(t, s)
				send := sender(t, s, peer)
				require.NoError(t, s.WaitPeers(t.Context(), 1))
				if c.typ == msgcore.Pub || c.typ == msgcore.XPub {
					require.NoError(t, s.WaitSubscribers(t.Context(), 1))
				}
				n.link.SetBuffer(1)
				n.link.Cut()
				synctest.Wait()
				for {
					_, ok, err := s.TryRecv() // what a STREAM tells of its peers
					if !ok || err != nil {
						break
					}
				}

				waiting := make(chan error, 2)
				calls := 0
				if !lacks(c.typ, "recv") && c.typ != msgcore.Req {
					calls++
					go func() {
						_, err := s.Recv(context.Background())
						waiting <- err
					}()
				}
				if c.typ == msgcore.Req {
					calls++
					go func() {
						_, err := s.Request(context.Background(), []byte("x"))
						waiting <- err
					}()
				}
				if !c.drops {
					calls++
					go func() {
						for {
							if err := send(); err != nil {
								waiting <- err
								return
							}
						}
					}()
				}
				require.Positive(t, calls)
				time.Sleep(time.Hour)
				require.Empty(t, waiting, "nobody waits")
				require.NoError(t, s.Close())
				for range calls {
					require.ErrorIs(t, <-waiting, net.ErrClosed)
				}
			})
		})
	}
}

// idFor names sockets that a ROUTER is to find.
func idFor(typ msgcore.Type) string {
	if typ == msgcore.Dealer {
		return "peer"
	}
	return ""
}

// sender connects s and returns what sends a message to its only peer.
func sender(t *testing.T, s, peer *msgcore.Socket) func() error {
	t.Helper()
	ctx, body := context.Background(), make([]byte, 100)
	if s.Type() == msgcore.Peer {
		id, err := s.ConnectPeer(t.Context(), simDial)
		require.NoError(t, err)
		return func() error { return s.SendMsg(ctx, msgcore.Msg{RoutingID: id, Frames: [][]byte{body}}) }
	}
	require.NoError(t, s.Connect(simDial))
	switch s.Type() {
	case msgcore.Router:
		return func() error { return s.Send(ctx, []byte("peer"), body) }
	case msgcore.Stream:
		m, err := s.Recv(t.Context())
		require.NoError(t, err)
		return func() error { return s.Send(ctx, m.Frames[0], body) }
	case msgcore.Server:
		require.NoError(t, peer.Send(ctx, body))
		m, err := s.Recv(t.Context())
		require.NoError(t, err)
		return func() error {
			return s.SendMsg(ctx, msgcore.Msg{RoutingID: m.RoutingID, Frames: [][]byte{body}})
		}
	}
	return func() error { return s.Send(ctx, body) }
}

// A reader that is slow, but reads, is waited for longer than Linger.
func TestSimLingerWhileBytesMove(t *testing.T) {
	const linger, pause, count, size = 300 * time.Millisecond, 200 * time.Millisecond, 20, 64 << 10
	simulate(t, func(t *testing.T, n *sim) {
		push, _ := at(t, n.server, msgcore.Push, msgcore.Options{Linger: linger})
		bindTo(t, push, simBind)
		c, _ := n.raw(t, "PULL")
		require.NoError(t, push.WaitPeers(t.Context(), 1))
		for range count {
			require.NoError(t, push.Send(t.Context(), make([]byte, size)))
		}
		synctest.Wait()
		require.NotEmpty(t, push.Pending())
		began := time.Now()
		ended := make(chan error, 1)
		go func() { ended <- push.Close() }()
		for range count {
			time.Sleep(pause)
			_, err := io.ReadFull(c, make([]byte, size+zmtp.MaxHeader))
			require.NoError(t, err)
		}
		require.NoError(t, c.Close())
		require.NoError(t, <-ended)
		require.Equal(t, count*pause, time.Since(began))
		require.Zero(t, push.Stats().DroppedUndelivered)
	})
}
