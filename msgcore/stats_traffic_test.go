package msgcore_test

import (
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// On inproc what is sent is the other socket's at once, and what that one has not
// received when it is closed was left unread.
func TestTrafficOnInproc(t *testing.T) {
	pull, push := open(t, msgcore.Pull, nil), open(t, msgcore.Push, nil)
	endpoint := "inproc://" + t.Name()
	require.NoError(t, push.Connect(endpoint))
	sendTexts(t, push, "early")
	require.EqualValues(t, 1, push.Stats().QueuedOut)
	require.EqualValues(t, 7, push.Stats().QueuedOutBytes)
	bindTo(t, pull, endpoint)
	require.NoError(t, push.WaitPeers(ctx30(t), 1))
	sendTexts(t, push, "a", "frame")
	sendTexts(t, push, "third")
	require.Equal(t, msgcore.Traffic{MessagesOut: 3, BytesOut: 7 + 3 + 7 + 7}, push.Stats().Traffic)
	require.Equal(t, []string{"early"}, recvTexts(t, pull))
	require.Equal(t, msgcore.Traffic{MessagesIn: 3, BytesIn: 24, QueuedIn: 2, QueuedInBytes: 17}, pull.Stats().Traffic)
	require.NoError(t, push.Close())
	require.Equal(t, []string{"a", "frame"}, recvTexts(t, pull))
	require.Equal(t, msgcore.Traffic{MessagesIn: 3, BytesIn: 24, QueuedIn: 1, QueuedInBytes: 7}, pull.Stats().Traffic)
	require.NoError(t, pull.Close())
	require.Equal(t, msgcore.Traffic{MessagesIn: 3, BytesIn: 24}, pull.Stats().Traffic)
	require.Equal(t, msgcore.DropStats{DroppedUnread: 1}, pull.Stats().DropStats)
	require.Equal(t, msgcore.Traffic{MessagesOut: 3, BytesOut: 24}, push.Stats().Traffic)
}

// A peer that has come and gone, and what it sent was received, is in the sums, and
// notes about it are no messages of it.
func TestTrafficOfPeersThatAreGone(t *testing.T) {
	overAll(t, func(t *testing.T, wildcard string) {
		router := open(t, msgcore.Router, &msgcore.Options{
			Router: msgcore.RouterOptions{Notify: msgcore.NotifyConnect | msgcore.NotifyDisconnect}, Disconnected: []byte("bye"),
		})
		endpoint := bindTo(t, router, wildcard)
		for i := range 3 {
			dealer := msgcore.NewDealer(&msgcore.Options{RoutingID: fmt.Sprint("peer", i), Linger: patience})
			require.NoError(t, dealer.Connect(endpoint))
			sendTexts(t, dealer, "hello")
			for _, want := range []string{"", "hello"} {
				require.Equal(t, []string{fmt.Sprint("peer", i), want}, recvTexts(t, router))
			}
			ps := router.PeerStats()
			require.Len(t, ps, 1)
			require.Equal(t, fmt.Sprint("peer", i), ps[0].RoutingID)
			require.EqualValues(t, 1, ps[0].MessagesIn)
			require.NoError(t, dealer.Close())
			require.EqualValues(t, 1, dealer.Stats().MessagesOut)
			require.Zero(t, dealer.Stats().InDoubt)
			for _, want := range []string{"", "bye"} {
				require.Equal(t, []string{fmt.Sprint("peer", i), want}, recvTexts(t, router))
			}
		}
		s := router.Stats()
		require.EqualValues(t, 3, s.MessagesIn)
		require.Zero(t, s.QueuedIn)
		require.NoError(t, router.Close())
		require.Equal(t, msgcore.DropStats{}, router.Stats().DropStats)
		require.Empty(t, router.PeerStats())
	})
}

// Stats may be asked for while everything moves, and no number but those of what
// is queued ever falls.
func TestStatsWhileAllMoves(t *testing.T) {
	overAll(t, func(t *testing.T, wildcard string) {
		pull := open(t, msgcore.Pull, nil)
		endpoint := bindTo(t, pull, wildcard)
		stop := make(chan struct{})
		var asking sync.WaitGroup
		for range 2 {
			asking.Add(1)
			go func() {
				defer asking.Done()
				var last msgcore.Stats
				for {
					s := pull.Stats()
					if s.MessagesIn < last.MessagesIn || s.BytesIn < last.BytesIn {
						t.Errorf("%+v after %+v", s, last)
						return
					}
					last = s
					pull.PeerStats()
					select {
					case <-stop:
						return
					default:
					}
				}
			}()
		}
		const pushers, messages = 4, 200
		for range pushers {
			push := msgcore.NewPush(nil)
			go func() {
				defer push.Close()
				_ = push.Connect(endpoint)
				for range messages {
					_ = push.Send(context.Background(), []byte("x"))
				}
			}()
		}
		for range pushers * messages {
			m, err := pull.Recv(ctx30(t))
			require.NoError(t, err)
			m.Release()
		}
		close(stop)
		asking.Wait()
		require.EqualValues(t, pushers*messages, pull.Stats().MessagesIn)
		require.Eventually(t, func() bool { return len(pull.PeerStats()) == 0 }, patience, time.Millisecond)
		require.EqualValues(t, pushers*messages, pull.Stats().MessagesIn)
		require.Zero(t, pull.Stats().QueuedIn)
	})
}

// Stats are shown by expvar as they are.
func TestStatsByExpvar(t *testing.T) {
	s := open(t, msgcore.Router, nil)
	sendTexts(t, s, "nobody", "x")
	text := expvar.Func(func() any { return s.Stats() }).String()
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	require.EqualValues(t, 1, got["DroppedUnroutable"])
	require.EqualValues(t, 0, got["MessagesOut"])
	require.Equal(t, "null", expvar.Func(func() any { return s.PeerStats() }).String())
}

// overAll runs test for each transport that connects, with an endpoint to bind.
func overAll(t *testing.T, test func(t *testing.T, wildcard string)) {
	for _, wildcard := range []string{"tcp://127.0.0.1:*", "ipc://*", "inproc://*"} {
		t.Run(wildcard[:strings.IndexByte(wildcard, ':')], func(t *testing.T) { test(t, wildcard) })
	}
}
