package msgcore_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
)

// What a peer sends that is not for the application is counted, by its cause, and
// what is for it arrives all the same.
func TestSimDropsOfWhatComes(t *testing.T) {
	for _, c := range []struct {
		typ  msgcore.Type
		peer string
		send [][]string // messages of the peer; the last one is received, if any can be
		want msgcore.DropStats
	}{
		{msgcore.Sub, "PUB", [][]string{{"other"}, {"other", "x"}, {"t", "x"}}, msgcore.DropStats{DroppedFiltered: 2}},
		{msgcore.Dish, "RADIO", [][]string{{"other", "x"}, {"t"}, {"t", "x", "y"}, {"t", "x"}}, msgcore.DropStats{DroppedFiltered: 1, DroppedMalformed: 2}},
		{msgcore.Rep, "REQ", [][]string{{"no envelope"}, {"id", ""}, {""}, {"", "x"}}, msgcore.DropStats{DroppedMalformed: 3}},
		{msgcore.Gather, "SCATTER", [][]string{{"x", "y"}, {"x"}}, msgcore.DropStats{DroppedMalformed: 1}},
		{msgcore.Client, "SERVER", [][]string{{"x", "y"}, {"x"}}, msgcore.DropStats{DroppedMalformed: 1}},
		{msgcore.Channel, "CHANNEL", [][]string{{"x", "y"}, {"x"}}, msgcore.DropStats{DroppedMalformed: 1}},
		{msgcore.Server, "CLIENT", [][]string{{"x", "y"}, {"x"}}, msgcore.DropStats{DroppedMalformed: 1}},
		{msgcore.Peer, "PEER", [][]string{{"x", "y"}, {"x"}}, msgcore.DropStats{DroppedMalformed: 1}},
		{msgcore.Push, "PULL", [][]string{{"x"}, {"x", "y"}}, msgcore.DropStats{DroppedUnwanted: 2}},
		{msgcore.Scatter, "GATHER", [][]string{{"x"}}, msgcore.DropStats{DroppedUnwanted: 1}},
		{msgcore.Radio, "DISH", [][]string{{"x"}}, msgcore.DropStats{DroppedUnwanted: 1}},
		{msgcore.Pub, "XSUB", [][]string{{"\x01topic"}, {"x"}, {"\x00topic"}, {"x", "y"}}, msgcore.DropStats{DroppedUnwanted: 2}},
		{msgcore.XPub, "XSUB", [][]string{{"x", "y"}}, msgcore.DropStats{}},
	} {
		t.Run(c.typ.String(), func(t *testing.T) {
			simulate(t, func(t *testing.T, n *sim) {
				s, _ := at(t, n.server, c.typ, msgcore.Options{})
				bindTo(t, s, simBind)
				switch c.typ {
				case msgcore.Sub:
					require.NoError(t, s.Subscribe("t"))
				case msgcore.Dish:
					require.NoError(t, s.Join("t"))
				}
				_, z := n.raw(t, c.peer)
				for _, m := range c.send {
					require.NoError(t, z.WriteMessage(bytesOf(m)...))
				}
				synctest.Wait()
				if c.want.DroppedUnwanted == 0 {
					last := c.send[len(c.send)-1]
					if c.typ == msgcore.Rep {
						last = last[1:]
					}
					require.Equal(t, last, recvNow(t, s))
				}
				require.Equal(t, c.want, s.Stats().DropStats)
			})
		})
	}
}

func bytesOf(texts []string) (frames [][]byte) {
	for _, f := range texts {
		frames = append(frames, []byte(f))
	}
	return frames
}

// A REQ counts every reply that it has not asked for, is too late, or is none.
func TestSimDropsOfReplies(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		req, _ := at(t, n.server, msgcore.Req, msgcore.Options{Req: msgcore.ReqOptions{Relaxed: true, Correlate: true}})
		bindTo(t, req, simBind)
		_, z := n.raw(t, "REP")
		require.NoError(t, req.WaitPeers(t.Context(), 1))
		require.NoError(t, z.WriteMessage([]byte("unasked")))
		sendTexts(t, req, "first")
		first, err := z.ReadMessage()
		require.NoError(t, err)
		sendTexts(t, req, "second")
		second, err := z.ReadMessage()
		require.NoError(t, err)
		require.NoError(t, z.WriteMessage(first...)) // too late
		require.NoError(t, z.WriteMessage(second...))
		require.NoError(t, z.WriteMessage(second...)) // once more
		require.Equal(t, []string{"second"}, recvTexts(t, req))
		sendTexts(t, req, "third")
		third, err := z.ReadMessage()
		require.NoError(t, err)
		require.NoError(t, z.WriteMessage(third...))
		require.Equal(t, []string{"third"}, recvTexts(t, req))
		require.Equal(t, msgcore.DropStats{DroppedUnexpected: 3}, req.Stats().DropStats)
	})
}

// What a ROUTER, a REP and a PUB cannot deliver is counted, too.
func TestSimDropsOfWhatIsSent(t *testing.T) {
	t.Run("no route", func(t *testing.T) {
		s := open(t, msgcore.Router, nil)
		sendTexts(t, s, "nobody", "x")
		require.Equal(t, msgcore.DropStats{DroppedUnroutable: 1}, s.Stats().DropStats)
	})
	t.Run("the peer is gone", func(t *testing.T) {
		simulate(t, func(t *testing.T, n *sim) {
			rep, req := n.pair(t, msgcore.Rep, msgcore.Req, msgcore.Options{}, msgcore.Options{})
			sendTexts(t, req, "x")
			require.Equal(t, []string{"x"}, recvTexts(t, rep))
			require.NoError(t, req.Close())
			synctest.Wait()
			sendTexts(t, rep, "x")
			require.Equal(t, msgcore.DropStats{DroppedUnroutable: 1}, rep.Stats().DropStats)
		})
	})
	t.Run("replaced", func(t *testing.T) {
		s := open(t, msgcore.Push, &msgcore.Options{Conflate: true})
		require.NoError(t, s.Connect("inproc://"+t.Name()))
		for i := range 5 {
			sendTexts(t, s, fmt.Sprint(i))
		}
		require.Equal(t, msgcore.DropStats{DroppedReplaced: 4}, s.Stats().DropStats)
		require.NoError(t, s.Disconnect("inproc://"+t.Name()))
		require.Equal(t, msgcore.DropStats{DroppedReplaced: 4, DroppedLost: 1}, s.Stats().DropStats)
	})
}

// A connection that Options.Transport.Credentials refuses is counted, and told.
func TestAcceptRefused(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system does not say who connects")
	}
	no := errors.New("not you")
	opts, w := watched(msgcore.Options{Transport: transport.Options{Credentials: func(transport.Cred) error { return no }}})
	pull := open(t, msgcore.Pull, opts)
	endpoint := bindTo(t, pull, "ipc://*")
	push := open(t, msgcore.Push, &msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond}})
	require.NoError(t, push.Connect(endpoint))
	e := w.times(t, 2, msgcore.AcceptRefused)
	require.ErrorIs(t, e.Err, no)
	require.Equal(t, endpoint, e.Endpoint)
	require.Equal(t, os.Getpid(), e.Peer.Cred.PID)
	require.GreaterOrEqual(t, pull.Stats().AcceptRefused, uint64(2))
	require.Zero(t, pull.Stats().Accepted)
}

func TestDropCauseNames(t *testing.T) {
	seen := map[string]bool{}
	for c := msgcore.DropFull; c <= msgcore.DropUnread; c++ {
		require.NotContains(t, c.String(), "(")
		seen[c.String()] = true
	}
	require.Len(t, seen, int(msgcore.DropUnread))
	require.Equal(t, "DropCause(0)", msgcore.DropCause(0).String())
	require.Equal(t, "DropCause(99)", fmt.Sprint(msgcore.DropCause(99)))
}
