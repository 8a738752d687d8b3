package msgcore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// With Immediate nothing is queued for an endpoint that is not connected: what is
// sent goes to those that are, or waits in Send.
func TestImmediate(t *testing.T) {
	for _, typ := range []msgcore.Type{msgcore.Push, msgcore.Dealer, msgcore.Req, msgcore.Pair} {
		t.Run(typ.String(), func(t *testing.T) {
			schemes(t, func(t *testing.T, ep string) {
				at, bind := later(t, ep)
				s := open(t, typ, &msgcore.Options{Immediate: true})
				require.NoError(t, s.Connect(at))
				ok, err := s.TrySend(msgcore.Msg{Frames: [][]byte{[]byte("nobody")}})
				require.NoError(t, err)
				require.False(t, ok)
				soon, cancel := context.WithTimeout(limited(t), time.Millisecond)
				defer cancel()
				require.ErrorIs(t, s.Send(soon, []byte("nobody")), context.DeadlineExceeded)
				sent := make(chan error, 1)
				go func() { sent <- s.Send(limited(t), []byte("waits")) }()
				to := open(t, counterpart[typ], nil)
				bind(to)
				require.NoError(t, <-sent)
				got := recvTexts(t, to)
				require.Equal(t, "waits", got[len(got)-1])
			})
		})
	}
}

// Without a connection to take it, nothing goes to an endpoint that is away, while
// another takes all; without Immediate each gets its share.
func TestImmediateShares(t *testing.T) {
	for _, immediate := range []bool{true, false} {
		away, bind := later(t, anyPort)
		s, there := open(t, msgcore.Push, &msgcore.Options{Immediate: immediate}), open(t, msgcore.Pull, nil)
		require.NoError(t, s.Connect(away))
		require.NoError(t, s.Connect(bindTo(t, there, anyPort)))
		require.NoError(t, s.WaitPeers(limited(t), 1))
		for range 10 {
			sendTexts(t, s, "x")
		}
		want := 10
		if !immediate {
			want = 5
		}
		for range want {
			recvTexts(t, there)
		}
		_, ok, err := there.TryRecv()
		require.NoError(t, err)
		require.False(t, ok)
		if !immediate {
			late := open(t, msgcore.Pull, nil)
			bind(late)
			for range 5 {
				recvTexts(t, late)
			}
		}
	}
}

// What is queued for a connection that breaks is dropped and counted with
// Immediate, as by libzmq; without it, it waits for the next one.
func TestImmediateBroken(t *testing.T) {
	for _, immediate := range []bool{true, false} {
		at, bind := later(t, anyPort)
		s := open(t, msgcore.Push, &msgcore.Options{Immediate: immediate, SendHWM: 10, Transport: smallBuffers, Linger: msgcore.Discard})
		require.NoError(t, s.Connect(at))
		stopped := open(t, msgcore.Pull, &msgcore.Options{RecvHWM: 1, Transport: smallBuffers})
		bind(stopped)
		require.NoError(t, s.WaitPeers(limited(t), 1))
		for { // until its queues are full
			ok, err := s.TrySend(msgcore.Msg{Frames: [][]byte{make([]byte, 1<<20)}})
			require.NoError(t, err)
			if !ok {
				break
			}
		}
		require.NoError(t, stopped.Close())
		require.Eventually(t, func() bool { return !hasPeers(s) }, patience, 1e6)
		if !immediate {
			require.Zero(t, s.Stats().DroppedLost)
			require.NotEmpty(t, s.Pending())
			continue
		}
		require.NotZero(t, s.Stats().DroppedLost)
		require.Empty(t, s.Pending())
		again := open(t, msgcore.Pull, nil)
		bind(again)
		sendTexts(t, s, "fresh")
		require.Equal(t, []string{"fresh"}, recvTexts(t, again), "and nothing older")
	}
}
