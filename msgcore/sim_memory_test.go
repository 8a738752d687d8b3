package msgcore_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// 10,000 peers connect, subscribe, talk and leave, a thousand at a time. What
// their servers keep of them is less than a tenth of what they keep without them.
func TestSimManyPeersLeaveNothing(t *testing.T) {
	if msgcore.RaceEnabled {
		t.Skip("the race detector needs memory of its own")
	}
	const wave = 1000
	waves := sized(3, 10)
	simulate(t, func(t *testing.T, n *sim) {
		// What a watch or a context of the test keeps is not to be counted.
		xpub := open(t, msgcore.XPub, &msgcore.Options{Transports: n.server.Lookup})
		router := open(t, msgcore.Router, &msgcore.Options{Transports: n.server.Lookup})
		bindTo(t, xpub, "tcp://*:1")
		bindTo(t, router, "tcp://*:2")
		o := &msgcore.Options{Transports: n.client.Lookup}
		pass := func(w, peers int) {
			var all []*msgcore.Socket
			for i := range peers {
				sub, dealer := msgcore.NewSub(o), msgcore.NewDealer(o)
				all = append(all, sub, dealer)
				require.NoError(t, sub.Subscribe(fmt.Sprintf("topic %d of wave %d", i, w)))
				require.NoError(t, sub.Connect("tcp://server:1"))
				require.NoError(t, dealer.Connect("tcp://server:2"))
				require.NoError(t, dealer.Send(t.Context(), []byte("hello")))
			}
			require.NoError(t, xpub.WaitSubscribers(t.Context(), peers))
			for range peers {
				m, err := router.Recv(t.Context())
				require.NoError(t, err)
				require.NoError(t, m.Reply(t.Context(), []byte("welcome")))
				m.Release()
			}
			for _, s := range all {
				if s.Type() == msgcore.Dealer {
					m, err := s.Recv(t.Context())
					require.NoError(t, err)
					require.Equal(t, "welcome", string(m.Bytes()))
				}
				require.NoError(t, s.Close())
			}
			for range 2 * peers { // they have subscribed, and no longer do
				_, err := xpub.Recv(t.Context())
				require.NoError(t, err)
			}
			synctest.Wait()
			require.Zero(t, n.link.Conns())
			for _, s := range []*msgcore.Socket{xpub, router} { // which finds those that have no more
				_, ok, err := s.TryRecv()
				require.NoError(t, err)
				require.False(t, ok)
			}
		}
		// What is allocated once is allocated; the system keeps a little for each
		// goroutine of the time when there were most.
		pass(0, 2*wave)
		before := liveHeap()
		for w := range waves {
			pass(w+1, wave)
		}
		after := liveHeap()
		t.Logf("%d bytes before %d peers, %d after", before, 2*waves*wave, after)
		require.LessOrEqual(t, after, before+before/10)
		runtime.KeepAlive(xpub)
		runtime.KeepAlive(router)
	})
}
