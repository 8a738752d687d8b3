package msgcore_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// later returns an endpoint that nobody is bound to, and a function that binds s
// to it.
func later(t *testing.T, ep string) (endpoint string, bind func(s *msgcore.Socket)) {
	if ep == anyPort {
		endpoint = unused(t, "tcp")
	} else {
		s := open(t, msgcore.Pair, nil)
		endpoint = bindTo(t, s, ep)
		require.NoError(t, s.Close())
	}
	return endpoint, func(s *msgcore.Socket) {
		require.Eventually(t, func() bool { _, err := s.Bind(limited(t), endpoint); return err == nil }, patience, 1e6)
	}
}

// A ROUTER sends to a peer that it has named, before it is there, and again after
// it was away, whatever the peer calls itself.
func TestConnectAs(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := limited(t)
		at, bind := later(t, ep)
		router := open(t, msgcore.Router, &msgcore.Options{Router: msgcore.RouterOptions{Mandatory: true, Handover: true}})
		require.NoError(t, router.ConnectAs(at, "server"))
		require.ErrorContains(t, router.ConnectAs(at, "server"), "in use")
		early := func() { // on inproc the name is given anew when a link has ended
			require.Eventually(t, func() bool {
				return router.Send(ctx, []byte("server"), []byte("early")) == nil
			}, patience, 1e6)
		}
		for range 2 {
			early()
			dealer := open(t, msgcore.Dealer, &msgcore.Options{RoutingID: "its own name"})
			bind(dealer)
			require.Equal(t, []string{"early"}, recvTexts(t, dealer))
			sendTexts(t, dealer, "hi")
			m, err := router.Recv(ctx)
			require.NoError(t, err)
			require.Equal(t, []string{"server", "hi"}, texts(m))
			require.Equal(t, "server", m.Peer().RoutingID)
			require.NoError(t, m.Reply(ctx, []byte("ho")))
			require.Equal(t, []string{"ho"}, recvTexts(t, dealer))
			require.ErrorIs(t, router.Send(ctx, []byte("its own name"), nil), msgcore.ErrUnroutable)
			require.NoError(t, dealer.Close())
			require.Eventually(t, func() bool { return !hasPeers(router) }, patience, 1e6)
			early()
			dealer = open(t, msgcore.Dealer, nil)
			bind(dealer)
			require.Equal(t, []string{"early"}, recvTexts(t, dealer))
			require.NoError(t, dealer.Close())
			require.Eventually(t, func() bool { return !hasPeers(router) }, patience, 1e6)
		}
		require.NoError(t, router.Disconnect(at))
		require.ErrorIs(t, router.Send(ctx, []byte("server"), nil), msgcore.ErrUnroutable)
		require.NoError(t, router.ConnectAs(at, "server"), "it is free again")
	})
}

// Nobody takes over an id that ConnectAs has given.
func TestConnectAsIsKept(t *testing.T) {
	o, w := watched(msgcore.Options{Router: msgcore.RouterOptions{Handover: true}})
	router := open(t, msgcore.Router, o)
	at, bind := later(t, anyPort)
	require.NoError(t, router.ConnectAs(at, "a"))
	thief := rawDial(t, bindTo(t, router, anyPort))
	_, err := zmtp.Handshake(limited(t), thief, &zmtp.Config{
		Properties: zmtp.Properties{zmtp.SocketType: "DEALER", zmtp.Identity: "a"},
	})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, w.times(t, 1, msgcore.HandshakeFailed).Err, "ConnectAs")
	sendTexts(t, router, "a", "to the right one")
	dealer := open(t, msgcore.Dealer, nil)
	bind(dealer)
	require.Equal(t, []string{"to the right one"}, recvTexts(t, dealer))

	for _, id := range []string{"", "\x00x", string(make([]byte, 256))} {
		require.Error(t, router.ConnectAs(at, id))
	}
}

// With Immediate nothing waits for a connection.
func TestConnectAsImmediate(t *testing.T) {
	router := open(t, msgcore.Router, &msgcore.Options{Immediate: true, Router: msgcore.RouterOptions{Mandatory: true}})
	at, bind := later(t, anyPort)
	require.NoError(t, router.ConnectAs(at, "a"))
	require.ErrorIs(t, router.Send(limited(t), []byte("a"), nil), msgcore.ErrUnroutable)
	dealer := open(t, msgcore.Dealer, nil)
	bind(dealer)
	require.NoError(t, router.WaitPeers(limited(t), 1))
	sendTexts(t, router, "a", "now")
	require.Equal(t, []string{"now"}, recvTexts(t, dealer))
}

// A STREAM has its ids the same way; what a connection has not taken does not go
// to the next.
func TestConnectAsStream(t *testing.T) {
	ctx := limited(t)
	s, server := open(t, msgcore.Stream, nil), open(t, msgcore.Stream, nil)
	at, bind := later(t, anyPort)
	require.NoError(t, s.ConnectAs(at, "peer"))
	sendTexts(t, s, "peer", "early")
	bind(server)
	for _, text := range []string{"early", "again"} {
		require.Equal(t, "peer", string(recvEvent(t, s, msgcore.NotifyConnect)))
		id := recvEvent(t, server, msgcore.NotifyConnect)
		if text == "again" {
			sendTexts(t, s, "peer", text)
		}
		require.Equal(t, text, string(recvBytes(t, server, id, 5)))
		require.NoError(t, server.Send(ctx, id, []byte("answer")))
		require.Equal(t, "answer", string(recvBytes(t, s, []byte("peer"), 6)))
		require.NoError(t, server.Send(ctx, id, nil))
		require.Equal(t, "peer", string(recvEvent(t, s, msgcore.NotifyDisconnect)))
	}
}

// libzmq's ROUTER and ours, each of which has named the other.
func TestConnectAsLibzmq(t *testing.T) {
	py := startPython(t)
	ours, theirs := open(t, msgcore.Router, nil), py.open(t, "ROUTER", pyOptions{"ROUTING_ID": "their own"})
	require.NoError(t, ours.ConnectAs(theirs.bind(t, anyPort), "they"))
	sendTexts(t, ours, "they", "early")
	got := theirs.recv(t)
	require.Equal(t, "early", got[1])
	theirs.send(t, got[0], "answer")
	require.Equal(t, []string{"they", "answer"}, recvTexts(t, ours))

	theirs, ours = py.open(t, "ROUTER", pyOptions{"CONNECT_ROUTING_ID": "we"}), open(t, msgcore.Router, nil)
	theirs.do(t, "connect", bindTo(t, ours, anyPort))
	theirs.send(t, "we", "early")
	m := recvTexts(t, ours)
	require.Equal(t, "early", m[1])
	sendTexts(t, ours, m[0], "answer")
	require.Equal(t, []string{"we", "answer"}, theirs.recv(t))
}
