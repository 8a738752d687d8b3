package msgcore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// Two peers of a ROUTER cannot have one routing id: the second is refused, and
// gets it once the first has gone.
func TestRefuseARoutingIDInUse(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		ro, rw := watched(msgcore.Options{})
		router := open(t, msgcore.Router, ro)
		bound := bindTo(t, router, endpoint)
		first := open(t, msgcore.Dealer, &msgcore.Options{RoutingID: "me"})
		require.NoError(t, first.Connect(bound))
		exchange(t, router, first, "first")
		so, sw := watched(msgcore.Options{RoutingID: "me", Reconnect: msgcore.Reconnect{Interval: time.Millisecond}})
		second := open(t, msgcore.Dealer, so)
		require.NoError(t, second.Connect(bound))
		sendTexts(t, second, "patient") // and not lost to a router that has refused
		e := rw.times(t, 3, msgcore.HandshakeFailed)
		require.ErrorContains(t, e.Err, "routing id is in use")
		require.ErrorContains(t, e.Err, "Options.Router.Handover")
		e = sw.times(t, 3, msgcore.HandshakeFailed)
		if strings.HasPrefix(endpoint, "inproc") {
			require.ErrorContains(t, e.Err, "routing id is in use")
		} else {
			require.ErrorContains(t, e.Err, "has no place for this side now")
		}
		exchange(t, router, first, "still first")
		require.NoError(t, first.Close())
		require.Equal(t, []string{"me", "patient"}, recvTexts(t, router))
		require.Empty(t, sw.kindsOf(msgcore.Disconnected))
		exchange(t, router, second, "second")
	})
}

// With Handover the second takes it over, and the first loses its connection.
func TestRefuseNotWithHandover(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		ro, rw := watched(msgcore.Options{Router: msgcore.RouterOptions{Handover: true, Mandatory: true}})
		router := open(t, msgcore.Router, ro)
		bound := bindTo(t, router, endpoint)
		o := msgcore.Options{RoutingID: "me", Reconnect: msgcore.Reconnect{Interval: -1}}
		first, second := open(t, msgcore.Dealer, &o), open(t, msgcore.Dealer, &o)
		require.NoError(t, first.Connect(bound))
		exchange(t, router, first, "first")
		require.NoError(t, second.Connect(bound))
		rw.times(t, 1, msgcore.Disconnected)
		require.NoError(t, second.WaitPeers(limited(t), 1))
		exchange(t, router, second, "second")
		require.NoError(t, router.Send(limited(t), []byte("me"), []byte("to the second")))
		require.Equal(t, []string{"to the second"}, recvTexts(t, second))
		require.Eventually(t, func() bool { return !hasPeers(first) }, patience, time.Millisecond)
	})
}

// Routing ids that cannot be are refused in the handshake.
func TestRefuseBadRoutingIDs(t *testing.T) {
	o, w := watched(msgcore.Options{})
	router := open(t, msgcore.Router, o)
	bound := bindTo(t, router, anyPort)
	for _, c := range []struct{ id, why string }{
		{"\x00made", "starts with a zero byte"},
		{strings.Repeat("x", 256), "over 255 bytes"},
	} {
		n := w.count()
		p := rawDial(t, bound)
		ready := zmtp.AppendCommand(nil, zmtp.CommandReady, zmtp.AppendProperties(nil, zmtp.Properties{
			zmtp.SocketType: "DEALER", zmtp.Identity: c.id,
		}))
		p.send(t, after(greeted, ready)...)
		e, _ := w.after(t, n, msgcore.HandshakeFailed)
		require.ErrorContains(t, e.Err, c.why)
		require.Contains(t, string(p.ended(t)), c.why)
	}
	healthy(t, router, bound)
}

// A PAIR, and a CHANNEL, has one peer; every other one is refused until that has
// gone.
func TestRefuseASecondPeer(t *testing.T) {
	for _, typ := range []msgcore.Type{msgcore.Pair, msgcore.Channel} {
		t.Run(typ.String(), func(t *testing.T) {
			schemes(t, func(t *testing.T, endpoint string) {
				so, sw := watched(msgcore.Options{})
				s := open(t, typ, so)
				bound := bindTo(t, s, endpoint)
				first := open(t, typ, nil)
				require.NoError(t, first.Connect(bound))
				exchange(t, s, first, "first")
				second := open(t, typ, &msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond}})
				require.NoError(t, second.Connect(bound))
				sendTexts(t, second, "patient")
				require.ErrorContains(t, sw.times(t, 3, msgcore.HandshakeFailed).Err, "has a peer already")
				exchange(t, s, first, "still first")
				require.NoError(t, first.Close())
				require.Equal(t, []string{"patient"}, recvTexts(t, s))
				exchange(t, s, second, "second")
				// Nor can the second one connect twice.
				require.ErrorContains(t, second.Connect(bound), "has a peer already")
			})
		})
	}
}

// On inproc, too, types that do not belong together are refused, and both sides
// are told.
func TestRefuseTypesOnInproc(t *testing.T) {
	endpoint := unused(t, "inproc")
	so, sw := watched(msgcore.Options{})
	co, cw := watched(msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond}})
	s, c := open(t, msgcore.Pull, so), open(t, msgcore.Req, co)
	bindTo(t, s, endpoint)
	require.NoError(t, c.Connect(endpoint))
	for _, w := range []*watch{sw, cw} {
		require.ErrorContains(t, w.times(t, 1, msgcore.HandshakeFailed).Err, "a REQ does not talk to a PULL")
	}
	healthy(t, s, endpoint)
}
