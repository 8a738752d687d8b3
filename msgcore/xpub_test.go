package msgcore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

func recvText(t *testing.T, s *msgcore.Socket) string {
	t.Helper()
	m, err := s.Recv(ctx30(t))
	require.NoError(t, err)
	return string(m.Bytes())
}

func TestXPubTellsOfSubscriptions(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		xpub, first := msgcore.NewXPub(nil), msgcore.NewSub(nil)
		pair(t, xpub, first, ep)
		require.NoError(t, first.Subscribe("a"))
		require.Equal(t, "\x01a", recvText(t, xpub))

		second := msgcore.NewXSub(nil)
		defer second.Close()
		require.NoError(t, second.Connect(bound(t, ep, xpub)))
		require.NoError(t, second.Subscribe("a")) // known already
		require.NoError(t, second.Send(ctx30(t), []byte("\x01b")))
		require.Equal(t, "\x01b", recvText(t, xpub))

		// What an XSUB sends otherwise goes upstream.
		require.NoError(t, second.Send(ctx30(t), []byte("hello"), []byte("there")))
		require.Equal(t, "hellothere", recvText(t, xpub))

		require.NoError(t, xpub.Send(ctx30(t), []byte("b1")))
		require.Equal(t, "b1", recvText(t, second))

		require.NoError(t, first.Unsubscribe("a")) // second has it still
		require.NoError(t, second.Close())
		gone := []string{recvText(t, xpub), recvText(t, xpub)}
		require.ElementsMatch(t, []string{"\x00a", "\x00b"}, gone)
	})
}

func TestXPubVerboser(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		xpub := msgcore.NewXPub(&msgcore.Options{Pub: msgcore.PubOptions{Verboser: true}})
		a, b := msgcore.NewSub(nil), msgcore.NewSub(nil)
		defer b.Close()
		pair(t, xpub, a, ep)
		require.NoError(t, b.Connect(bound(t, ep, xpub)))
		require.NoError(t, a.Subscribe("x"))
		require.NoError(t, b.Subscribe("x"))
		require.NoError(t, xpub.WaitSubscribers(ctx30(t), 2))
		require.Equal(t, "\x01x", recvText(t, xpub))
		require.Equal(t, "\x01x", recvText(t, xpub))
		require.NoError(t, a.Unsubscribe("x"))
		require.Equal(t, "\x00x", recvText(t, xpub))
	})
}

func TestNoDropWaitsForTheSlowest(t *testing.T) {
	pub := msgcore.NewPub(&msgcore.Options{SendHWM: 1, Pub: msgcore.PubOptions{NoDrop: true}})
	sub := msgcore.NewSub(&msgcore.Options{RecvHWM: 1})
	require.NoError(t, sub.Subscribe(""))
	pair(t, pub, sub, "inproc://nodrop")
	require.NoError(t, pub.WaitSubscribers(ctx30(t), 1))
	const n = 1000
	go func() {
		for i := range n {
			if pub.Send(ctx30(t), []byte{byte(i)}) != nil {
				return
			}
		}
	}()
	for i := range n {
		require.Equal(t, string([]byte{byte(i)}), recvText(t, sub))
	}
	require.Zero(t, pub.Stats().DroppedFull)
}

// bound returns the endpoint that s was bound to as ep.
func bound(t *testing.T, ep string, s *msgcore.Socket) string {
	t.Helper()
	if ep[len(ep)-1] != '*' {
		return ep
	}
	b, err := s.Bind(ctx30(t), ep) // one more will do
	require.NoError(t, err)
	return b
}
