package msgcore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
)

// dropped is how many messages were sent and not written.
func dropped(s msgcore.Stats) uint64 {
	return s.DroppedFull + s.DroppedUnroutable + s.DroppedLost + s.DroppedReplaced
}

// passedOver is how many messages came and were not for the application.
func passedOver(s msgcore.Stats) uint64 {
	return s.DroppedFiltered + s.DroppedUnexpected + s.DroppedMalformed + s.DroppedUnwanted + s.DroppedUnread
}

// requireSums checks that each message is accounted for at either end, now that
// nothing moves, and that nothing is in doubt on a network that tells what was read.
func requireSums(t testing.TB, sends *msgcore.Socket, sent uint64, receives *msgcore.Socket, received uint64) {
	t.Helper()
	s, r := sends.Stats(), receives.Stats()
	require.Equal(t, sent, s.MessagesOut+s.QueuedOut+dropped(s), "sent: %+v", s)
	require.Equal(t, r.MessagesIn, received+r.QueuedIn+passedOver(r), "received: %+v", r)
	require.Zero(t, s.InDoubt+s.InDoubtBytes+r.InDoubt+r.InDoubtBytes)
	require.LessOrEqual(t, r.MessagesIn+s.DroppedUndelivered, s.MessagesOut+s.QueuedOut) // which some are of that are being written
	require.LessOrEqual(t, r.BytesIn, s.BytesOut+s.QueuedOutBytes)
	if s.QueuedOut == 0 {
		require.Zero(t, s.QueuedOutBytes)
	}
	if r.QueuedIn == 0 {
		require.Zero(t, r.QueuedInBytes)
	}
	for _, c := range []*msgcore.Socket{sends, receives} {
		var sum msgcore.Traffic
		for _, p := range c.PeerStats() {
			sum.MessagesIn += p.MessagesIn
			sum.MessagesOut += p.MessagesOut
			sum.QueuedOut += p.QueuedOut
			sum.QueuedIn += p.QueuedIn
			require.Zero(t, p.InDoubt+p.InDoubtBytes)
		}
		all := c.Stats()
		require.LessOrEqual(t, sum.MessagesIn, all.MessagesIn)
		require.LessOrEqual(t, sum.MessagesOut, all.MessagesOut)
		require.LessOrEqual(t, sum.QueuedIn, all.QueuedIn)
		require.Equal(t, sum.QueuedOut, all.QueuedOut)
	}
}

// Whatever becomes of the connections, of every message that was sent it is known
// that it was received, is queued or was dropped, and nothing is in doubt; at any
// time in which nothing moves.
func TestSimTrafficAddsUp(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range sized(24, 1000) {
		types := [][2]msgcore.Type{
			{msgcore.Push, msgcore.Pull},
			{msgcore.Dealer, msgcore.Dealer},
			{msgcore.Scatter, msgcore.Gather},
			{msgcore.Router, msgcore.Dealer},
			{msgcore.Pair, msgcore.Pair},
			{msgcore.Client, msgcore.Server},
		}[i%6]
		simulate(t, func(t *testing.T, n *sim) { addUp(t, n, r, types[0], types[1]) })
	}
}

func addUp(t *testing.T, n *sim, r *rand.Rand, from, to msgcore.Type) {
	marks := []int{1, 3, 50, 1000}
	o := msgcore.Options{SendHWM: marks[r.IntN(4)], Linger: 10 * time.Second, Reconnect: msgcore.Reconnect{Interval: 20 * time.Millisecond}}
	p := msgcore.Options{RecvHWM: marks[r.IntN(4)], RoutingID: idFor(to)}
	sends, _ := at(t, n.server, from, o)
	receives, _ := at(t, n.client, to, p)
	if from == msgcore.Router || r.IntN(2) == 0 {
		bindTo(t, sends, simBind)
		require.NoError(t, receives.Connect(simDial))
	} else {
		bindTo(t, receives, simBind)
		require.NoError(t, sends.Connect("tcp://client:5555"))
	}
	require.NoError(t, sends.WaitPeers(t.Context(), 1))
	n.link.SetBuffer(200 + r.IntN(5000))

	var received atomic.Uint64
	ended := make(chan struct{})
	lag := time.Duration(r.IntN(5)) * time.Millisecond
	go func() {
		defer close(ended)
		for {
			m, err := receives.Recv(context.Background())
			if err != nil {
				return
			}
			received.Add(1)
			m.Release()
			time.Sleep(lag)
		}
	}()
	var sent uint64
	for range 300 {
		switch r.IntN(40) {
		case 0:
			n.link.Reset()
		case 1:
			n.link.End()
		case 2:
			n.link.Cut()
			time.AfterFunc(time.Duration(r.IntN(2000))*time.Millisecond, n.link.Mend)
		case 3:
			n.link.SetDelay(time.Duration(r.IntN(50)) * time.Millisecond)
		case 4:
			synctest.Wait()
			requireSums(t, sends, sent, receives, received.Load())
		case 5:
			time.Sleep(time.Second)
		}
		m := msgcore.Msg{Frames: [][]byte{make([]byte, r.IntN(100))}}
		if r.IntN(20) == 0 {
			m.Frames[0] = make([]byte, 10_000) // beside the slab
		}
		if from == msgcore.Router {
			m.Frames = append([][]byte{[]byte("peer")}, m.Frames...)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(100))*time.Millisecond)
		if err := sends.SendMsg(ctx, m); err == nil {
			sent++
		} else {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		cancel()
	}
	n.link.Mend()
	time.Sleep(time.Hour) // all is received
	synctest.Wait()
	requireSums(t, sends, sent, receives, received.Load())
	s := sends.Stats()
	require.Zero(t, s.QueuedOut, "%v to %v", from, to)
	require.Equal(t, s.MessagesOut, receives.Stats().MessagesIn+s.DroppedUndelivered)
	if r.IntN(2) == 0 { // an orderly end loses nothing
		require.NoError(t, sends.Close())
		require.Equal(t, s.DroppedUndelivered, sends.Stats().DroppedUndelivered)
	}
	require.NoError(t, receives.Close())
	<-ended
	require.NoError(t, sends.Close())
	requireSums(t, sends, sent, receives, received.Load())
	s = sends.Stats()
	require.Equal(t, s.MessagesOut, receives.Stats().MessagesIn+s.DroppedUndelivered)
	require.Zero(t, receives.Stats().QueuedIn)
	require.Zero(t, sends.Stats().QueuedOut)
}

// A blind transport does not tell what was read, as real ones do not.
type blind struct{ transport.Transport }

func (b blind) Dial(ctx context.Context, addr string, o *transport.Options) (transport.Conn, error) {
	c, err := b.Transport.Dial(ctx, addr, o)
	if err != nil {
		return nil, err
	}
	type halves interface {
		net.Conn
		CloseWrite() error
	}
	return struct{ halves }{c.(halves)}, nil
}

// Where nothing tells, what was written to a connection that breaks is in doubt,
// all of it and no more, and what was not written goes out on the next one.
func TestSimTrafficInDoubt(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		pull, _ := at(t, n.server, msgcore.Pull, msgcore.Options{})
		bindTo(t, pull, simBind)
		push := open(t, msgcore.Push, &msgcore.Options{Transports: func(scheme string) (transport.Transport, bool) {
			tr, ok := n.client.Lookup(scheme)
			return blind{tr}, ok
		}})
		require.NoError(t, push.Connect(simDial))
		require.NoError(t, push.WaitPeers(t.Context(), 1))
		for i := range 5 {
			sendTexts(t, push, fmt.Sprint(i))
		}
		synctest.Wait()
		require.Zero(t, push.Stats().InDoubt)
		n.link.Cut()
		for range 3 {
			sendTexts(t, push, "into the void")
		}
		synctest.Wait()
		n.link.Reset()
		n.link.Mend()
		require.NoError(t, push.WaitPeers(t.Context(), 1))
		time.Sleep(time.Second)
		synctest.Wait()
		s := push.Stats()
		require.EqualValues(t, 8, s.InDoubt)
		require.EqualValues(t, 5*3+3*15, s.InDoubtBytes)
		require.EqualValues(t, 1, s.Reconnects)
		sendTexts(t, push, "later")
		synctest.Wait()
		r := pull.Stats()
		require.EqualValues(t, 6, r.MessagesIn)
		require.EqualValues(t, 5*3+7, r.BytesIn)
		require.EqualValues(t, 6, r.QueuedIn)
		require.EqualValues(t, 5*3+7, r.QueuedInBytes)
		require.Equal(t, []string{"0"}, recvTexts(t, pull))
		r = pull.Stats()
		require.EqualValues(t, 5, r.QueuedIn)
		require.EqualValues(t, 4*3+7, r.QueuedInBytes)
		require.Zero(t, r.Reconnects)
		ps := push.PeerStats()
		require.Len(t, ps, 1)
		require.Equal(t, msgcore.PeerStats{
			ID: 1, Endpoint: simDial, RemoteAddr: "server:5555", Type: "PULL", PID: -1, Connected: true,
			Traffic: msgcore.Traffic{MessagesOut: 9, BytesOut: s.BytesOut + 7, InDoubt: 8, InDoubtBytes: 60, Reconnects: 1},
		}, ps[0])
		require.NoError(t, push.Close())
		require.EqualValues(t, 8, push.Stats().InDoubt, "the last connection ended in order")
		require.NoError(t, pull.Close())
		r = pull.Stats()
		require.EqualValues(t, 5, r.DroppedUnread)
		require.Zero(t, r.QueuedIn)
		require.EqualValues(t, 6, r.MessagesIn)
	})
}
