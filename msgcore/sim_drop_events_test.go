package msgcore_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// The first drop is told at once, and then, once a second, how many there were; in
// the end all of them are told.
func TestSimDropEvents(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		router, w := at(t, n.server, msgcore.Router, msgcore.Options{SendHWM: 1})
		bindTo(t, router, simBind)
		dealer, _ := at(t, n.client, msgcore.Dealer, msgcore.Options{RoutingID: "peer"})
		require.NoError(t, dealer.Connect(simDial))
		require.NoError(t, router.WaitPeers(t.Context(), 1))
		drops := func() []msgcore.Event {
			synctest.Wait()
			return w.kindsOf(msgcore.MessagesDropped)
		}

		for range 5 {
			sendTexts(t, router, "nobody", "x")
		}
		require.Len(t, drops(), 1)
		e := drops()[0]
		require.Equal(t, msgcore.DropUnroutable, e.Cause)
		require.EqualValues(t, 1, e.Dropped)
		require.Empty(t, e.Endpoint)
		time.Sleep(time.Second)
		require.Len(t, drops(), 2)
		require.EqualValues(t, 4, drops()[1].Dropped)
		time.Sleep(time.Hour)
		require.Len(t, drops(), 2, "nothing was dropped any more")

		n.link.SetBuffer(1) // nothing moves
		n.link.Cut()
		for range 500 {
			sendTexts(t, router, "peer", "x")
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		list := drops()[2:]
		var told uint64
		for _, e := range list {
			require.Equal(t, msgcore.DropFull, e.Cause)
			require.Equal(t, "peer", e.Peer.RoutingID)
			require.Equal(t, e.Peer.Endpoint, e.Endpoint)
			told += e.Dropped
		}
		require.EqualValues(t, 1, list[0].Dropped)
		require.Equal(t, router.Stats().DroppedFull, told)
		require.LessOrEqual(t, len(list), 7)

		n.link.Mend()
		sendTexts(t, router, "nobody", "x")
		sendTexts(t, router, "nobody", "x")
		require.NoError(t, router.Close()) // tells the last one
		told = 0
		for _, e := range w.kindsOf(msgcore.MessagesDropped) {
			told += e.Dropped
		}
		s := router.Stats()
		require.Equal(t, s.DroppedFull+s.DroppedUnroutable+s.DroppedLost+s.DroppedUnread, told)
	})
}

// However many peers a flood of drops is for, the monitor hears of all drops and
// loses no event.
func TestSimDropEventsOfManyPeers(t *testing.T) {
	const peers, messages = 100, 200
	simulate(t, func(t *testing.T, n *sim) {
		pub, w := at(t, n.server, msgcore.Pub, msgcore.Options{SendHWM: 1})
		bindTo(t, pub, simBind)
		for i := range peers {
			h := n.network.Host(fmt.Sprint("host", i))
			sub, _ := at(t, h, msgcore.Sub, msgcore.Options{})
			require.NoError(t, sub.Subscribe(""))
			require.NoError(t, sub.Connect(simDial))
			defer h.Link(n.server).Mend()
		}
		require.NoError(t, pub.WaitSubscribers(t.Context(), peers))
		for i := range peers {
			l := n.network.Host(fmt.Sprint("host", i)).Link(n.server)
			l.SetBuffer(1)
			l.Cut()
		}
		for range messages {
			sendTexts(t, pub, "x")
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var told uint64
		named := map[string]bool{}
		list := w.kindsOf(msgcore.MessagesDropped)
		for _, e := range list {
			told += e.Dropped
			named[e.Peer.RemoteAddr] = true
		}
		require.Equal(t, pub.Stats().DroppedFull, told)
		require.Greater(t, told, uint64(peers*(messages-10)))
		require.LessOrEqual(t, len(named), 32+1)
		require.LessOrEqual(t, len(list), 2*33)
		require.Zero(t, pub.Stats().LostEvents)
	})
}
