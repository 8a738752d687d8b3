package msgcore_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// Strangers that connect and say nothing take no place from others: the one that
// has been silent the longest is closed.
func TestDoorMakesRoom(t *testing.T) {
	const most = 4
	o, w := watched(msgcore.Options{HandshakePeers: most, Handshake: -1})
	s := open(t, msgcore.Pull, o)
	bound := bindTo(t, s, anyPort)
	silent := []*rawPeer{}
	for range most {
		silent = append(silent, rawDial(t, bound))
	}
	w.times(t, most, msgcore.Accepted)
	for i := range 3 * most {
		p := rawHandshake(t, bound, "PUSH")
		p.send(t, frame(0, []byte{byte(i)})...)
		m, err := s.Recv(limited(t))
		require.NoError(t, err)
		require.Equal(t, []byte{byte(i)}, m.Bytes())
	}
	e := w.times(t, 1, msgcore.HandshakeFailed)
	require.ErrorContains(t, e.Err, "Options.HandshakePeers")
	require.Len(t, w.kindsOf(msgcore.HandshakeFailed), 1, "one had to go for the first peer, which then had a place")
	for range most {
		silent = append(silent, rawDial(t, bound))
	}
	w.times(t, most, msgcore.HandshakeFailed)
	for _, p := range silent[:most] {
		p.ended(t)
	}
	require.NoError(t, s.Close())
}

// A bound below zero is none.
func TestDoorWithoutBound(t *testing.T) {
	o, w := watched(msgcore.Options{HandshakePeers: -1})
	s := open(t, msgcore.Pull, o)
	bound := bindTo(t, s, anyPort)
	for range 1100 { // more than the default
		rawDial(t, bound)
	}
	w.times(t, 1100, msgcore.Accepted)
	healthy(t, s, bound)
	require.Empty(t, w.kindsOf(msgcore.HandshakeFailed))
}

// What a peer may send in its handshake is bounded, before it is read.
func TestDoorBoundsBytes(t *testing.T) {
	o, w := watched(msgcore.Options{HandshakeBytes: 200})
	s := open(t, msgcore.Pull, o)
	bound := bindTo(t, s, anyPort)
	p := rawDial(t, bound)
	p.send(t, greeted...)
	p.send(t, long(zmtp.FlagCommand, 300)...)
	e := w.times(t, 1, msgcore.HandshakeFailed)
	require.ErrorIs(t, e.Err, zmtp.ErrTooBig)
	p.ended(t)
	healthy(t, s, bound)
}

// A client that is refused asks again less and less often, and at once as soon as
// it was admitted in between.
func TestRefusedPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var admit atomic.Bool
		dialed := make(chan time.Time)
		f := &fake{dial: func(ctx context.Context) (net.Conn, error) {
			select {
			case dialed <- time.Now():
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				_, _ = zmtp.Handshake(context.Background(), far, &zmtp.Config{
					Accepting:  true,
					Properties: zmtp.Properties{zmtp.SocketType: "PUB"},
					Check: func(zmtp.Properties) error {
						if admit.Load() {
							return nil
						}
						return &zmtp.RejectedError{Reason: "400"}
					},
				})
			}()
			return near, nil
		}}
		s := open(t, msgcore.Sub, &msgcore.Options{Reconnect: msgcore.Reconnect{Interval: 100 * time.Millisecond, Refused: time.Second}})
		require.NoError(t, s.Connect(f.setUp(t.Name())))
		last := <-dialed
		for _, want := range []time.Duration{100, 200, 400, 800, 1000, 1000, 1000} {
			at := <-dialed
			want *= time.Millisecond
			require.LessOrEqual(t, at.Sub(last), want)
			require.GreaterOrEqual(t, at.Sub(last), want*3/4)
			last = at
		}
		admit.Store(true)
		<-dialed // admitted, and then lost
		last = <-dialed
		require.LessOrEqual(t, (<-dialed).Sub(last), 100*time.Millisecond)
	})
}

// With Refused below zero one refusal is enough.
func TestRefusedForGood(t *testing.T) {
	server, _ := watched(msgcore.Options{})
	s := open(t, msgcore.Pull, server)
	bound := bindTo(t, s, anyPort)
	o, w := watched(msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond, Refused: -1}})
	c := open(t, msgcore.Sub, o)
	require.NoError(t, c.Connect(bound))
	require.ErrorContains(t, w.times(t, 1, msgcore.Closed).Err, "rejected")
	require.Len(t, w.kindsOf(msgcore.HandshakeFailed), 1)
}
