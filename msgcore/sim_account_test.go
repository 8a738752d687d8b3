package msgcore_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// Whatever happens to the connections, a message that was sent is received or
// counted as dropped: peers that stall, marks of 1, partitions, and connections that
// end or break. This network tells what was read, so that nothing is in doubt.
func TestSimEveryMessageIsAccountedFor(t *testing.T) {
	for _, c := range []struct {
		from, to msgcore.Type
		o        msgcore.Options
	}{
		{msgcore.Push, msgcore.Pull, msgcore.Options{}},
		{msgcore.Pub, msgcore.Sub, msgcore.Options{}},
		{msgcore.Pub, msgcore.Sub, msgcore.Options{Pub: msgcore.PubOptions{NoDrop: true}}},
		{msgcore.Dealer, msgcore.Dealer, msgcore.Options{}},
		{msgcore.Router, msgcore.Dealer, msgcore.Options{}},
		{msgcore.Router, msgcore.Dealer, msgcore.Options{Router: msgcore.RouterOptions{Mandatory: true}}},
		{msgcore.Radio, msgcore.Dish, msgcore.Options{}},
		{msgcore.Scatter, msgcore.Gather, msgcore.Options{}},
	} {
		for _, binds := range []bool{true, false} {
			name := fmt.Sprintf("%v-%v binds=%v nodrop=%v mandatory=%v", c.from, c.to, binds, c.o.Pub.NoDrop, c.o.Router.Mandatory)
			t.Run(name, func(t *testing.T) {
				simulate(t, func(t *testing.T, n *sim) { account(t, n, c.from, c.to, c.o, binds) })
			})
		}
	}
}

func account(t *testing.T, n *sim, from, to msgcore.Type, o msgcore.Options, binds bool) {
	const messages = 300
	o.SendHWM, o.Linger = 1, -1
	n.link.SetBuffer(50)
	n.link.SetDelay(time.Millisecond)
	sends, _ := at(t, n.server, from, o)
	receives, _ := at(t, n.client, to, msgcore.Options{RecvHWM: 1, RoutingID: idFor(to)})
	wantAll(t, receives)
	bound, connected, endpoint := sends, receives, simDial
	if !binds {
		bound, connected, endpoint = receives, sends, "tcp://client:5555"
	}
	bindTo(t, bound, simBind)
	require.NoError(t, connected.Connect(endpoint))
	require.NoError(t, sends.WaitPeers(t.Context(), 1))
	time.Sleep(time.Second) // subscriptions are there

	var sent, received, refused uint64
	wake := make(chan struct{})
	receiver := make(chan struct{})
	go func() { // stalls now and then
		defer close(receiver)
		for {
			m, err := receives.Recv(t.Context())
			if err != nil {
				return
			}
			received++
			m.Release()
			if received%20 == 0 {
				select {
				case <-wake:
				case <-time.After(time.Second):
				}
			}
		}
	}()
	harms := []func(){
		n.link.Cut,
		n.link.Mend,
		func() {
			if from != msgcore.Pub && from != msgcore.Radio { // what nobody is there for is not dropped
				n.link.End()
			}
		},
		func() {
			if from != msgcore.Pub && from != msgcore.Radio {
				n.link.Reset()
			}
		},
		func() { n.link.SetDelay(20 * time.Millisecond) },
		func() { n.link.SetDelay(time.Millisecond) },
	}
	for i := range messages {
		if i%7 == 0 {
			harm := harms[i/7%len(harms)]
			if i/7%len(harms) == 0 {
				time.AfterFunc(500*time.Millisecond, n.link.Mend)
			}
			harm()
		}
		m := msgcore.Msg{Frames: [][]byte{make([]byte, 40)}}
		switch from {
		case msgcore.Router:
			m.Frames = append([][]byte{[]byte("peer")}, m.Frames...)
		case msgcore.Radio:
			m.Frames = append([][]byte{[]byte("group")}, m.Frames...)
		}
		if err := sends.SendMsg(t.Context(), m); err != nil {
			require.ErrorIs(t, err, msgcore.ErrUnroutable)
			refused++ // the application knows
		} else {
			sent++
		}
		time.Sleep(time.Duration(i%5) * time.Millisecond)
	}
	n.link.Mend()
	close(wake)
	require.NoError(t, sends.Close())
	time.Sleep(time.Minute) // all is received
	synctest.Wait()
	require.NoError(t, receives.Close())
	<-receiver
	s, r := sends.Stats(), receives.Stats()
	t.Logf("%d sent, %d received, %d refused: %+v, %+v", sent, received, refused, s, r)
	require.Zero(t, s.InDoubt)
	require.Equal(t, sent, received+dropped(s)+s.DroppedUndelivered+r.DroppedUnread)
	require.Equal(t, s.MessagesOut, r.MessagesIn+s.DroppedUndelivered)
	if s.DroppedUndelivered == 0 {
		require.Equal(t, s.BytesOut, r.BytesIn)
	}
	requireSums(t, sends, sent, receives, received)
	require.Positive(t, received)
}
