package msgcore_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// What a socket tells itself when a peer goes has come from nobody: it is neither
// queued nor unread.
func TestTrafficWithoutNotes(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		o, w := watched(msgcore.Options{Disconnected: []byte("gone")})
		router := open(t, msgcore.Router, o)
		dealer := open(t, msgcore.Dealer, nil)
		require.NoError(t, dealer.Connect(bindTo(t, router, endpoint)))
		require.NoError(t, router.WaitPeers(limited(t), 1))
		require.NoError(t, dealer.Close())
		w.times(t, 1, msgcore.Disconnected)
		s := router.Stats()
		require.Zero(t, s.MessagesIn)
		require.Zero(t, s.QueuedIn)
		require.NoError(t, router.Close())
		require.Zero(t, router.Stats().DroppedUnread)
	})
}

// Options.Hello is not what the application has sent, on inproc either; the other
// side has received it.
func TestTrafficWithoutHello(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		a, b := open(t, msgcore.Dealer, &msgcore.Options{Hello: []byte("hi")}), open(t, msgcore.Dealer, nil)
		require.NoError(t, a.Connect(bindTo(t, b, endpoint)))
		require.Equal(t, []string{"hi"}, recvTexts(t, b))
		require.Zero(t, a.Stats().MessagesOut)
		require.EqualValues(t, 1, b.Stats().MessagesIn)
	})
}

// Messages that the sender's Conflate has replaced before there was a receiver are
// the sender's, once.
func TestTrafficOfReplacedBefore(t *testing.T) {
	endpoint := "inproc://" + t.Name()
	push, pull := open(t, msgcore.Push, &msgcore.Options{Conflate: true}), open(t, msgcore.Pull, nil)
	require.NoError(t, push.Connect(endpoint))
	for range 5 {
		sendTexts(t, push, "x")
	}
	bindTo(t, pull, endpoint)
	recvTexts(t, pull)
	sent, received := push.Stats(), pull.Stats()
	require.EqualValues(t, 5, sent.MessagesOut+sent.QueuedOut+sent.DroppedReplaced)
	require.EqualValues(t, 1+received.DroppedReplaced, received.MessagesIn)
}

// Names that differ only in what is not UTF-8 do not make the same series, and what
// was refused of packets is written.
func TestOpenMetricsOfLikeNames(t *testing.T) {
	s := open(t, msgcore.Pull, nil)
	var b strings.Builder
	require.NoError(t, msgcore.WriteOpenMetrics(&b, map[string]*msgcore.Socket{"a\xff": s, "a\xfe": s}))
	require.Equal(t, 1, strings.Count(b.String(), "solomq_reconnects_total{socket=\"a\uFFFD\","))
	require.Contains(t, b.String(), "solomq_reconnects_total{socket=\"a\uFFFD2\",")
	require.Contains(t, b.String(), `fate="refused"`)
}
