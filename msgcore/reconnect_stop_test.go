package msgcore_test

import (
	"context"
	"io/fs"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// stopping is a socket that gives an endpoint up for the given reasons, and does
// not waste time in between.
func stopping(t *testing.T, typ msgcore.Type, why msgcore.Stop) (*msgcore.Socket, *watch) {
	o, w := watched(msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond, Refused: time.Millisecond, Stop: why}})
	return open(t, typ, o), w
}

// A dial that is refused ends the endpoint, and with it what waits there. Then it
// can be connected anew.
func TestReconnectStopRefused(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			s, w := stopping(t, msgcore.Push, msgcore.StopRefused)
			at := unused(t, scheme)
			require.NoError(t, s.Connect(at))
			closed := w.times(t, 1, msgcore.Closed)
			require.Equal(t, at, closed.Endpoint)
			require.Error(t, closed.Err)
			require.Empty(t, w.kindsOf(msgcore.ConnectRetried))
			require.NoError(t, s.Disconnect(at), "it is still ours to end")
			require.ErrorContains(t, s.Disconnect(at), "not connected")

			pull := open(t, msgcore.Pull, nil)
			bindTo(t, pull, at)
			require.NoError(t, s.Connect(at))
			sendTexts(t, s, "for somebody")
			require.Equal(t, []string{"for somebody"}, recvTexts(t, pull))
			require.NoError(t, pull.Close())
			w.times(t, 2, msgcore.Closed) // a lost connection is dialed again, which is refused
			require.Len(t, w.kindsOf(msgcore.Disconnected), 1)
			require.NotEmpty(t, w.kindsOf(msgcore.ConnectRetried))
		})
	}
}

// What is queued for an endpoint that is given up is dropped and counted.
func TestReconnectStopDropsWhatWaits(t *testing.T) {
	dial := make(chan error)
	f := &fake{dial: func(ctx context.Context) (net.Conn, error) {
		select {
		case err := <-dial:
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	s, w := stopping(t, msgcore.Push, msgcore.StopRefused)
	require.NoError(t, s.Connect(f.setUp(t.Name())))
	sendTexts(t, s, "one")
	sendTexts(t, s, "two")
	dial <- errRefused // which is no error of a system
	w.times(t, 1, msgcore.ConnectRetried)
	require.Zero(t, s.Stats().DroppedLost)
	dial <- fs.ErrNotExist
	require.ErrorIs(t, w.times(t, 1, msgcore.Closed).Err, fs.ErrNotExist)
	require.Eventually(t, func() bool { return s.Stats().DroppedLost == 2 }, patience, time.Millisecond)
	require.NoError(t, s.Close())
}

// A handshake that fails ends the endpoint; so does a negative Reconnect.Refused.
func TestReconnectStopHandshake(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		pub := open(t, msgcore.Pub, nil)
		at := bindTo(t, pub, endpoint)
		push, w := stopping(t, msgcore.Push, msgcore.StopHandshake)
		require.NoError(t, push.Connect(at))
		require.ErrorContains(t, w.times(t, 1, msgcore.Closed).Err, "PUSH")
		require.Len(t, w.kindsOf(msgcore.HandshakeFailed), 1)
		require.Empty(t, w.kindsOf(msgcore.ConnectRetried))

		other, w := stopping(t, msgcore.Push, msgcore.StopRefused|msgcore.StopDisconnected)
		require.NoError(t, other.Connect(at))
		w.times(t, 3, msgcore.ConnectRetried)
		require.Empty(t, w.kindsOf(msgcore.Closed))
	})
}

// A connection that was ready and has ended is not dialed again.
func TestReconnectStopDisconnected(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		pull := open(t, msgcore.Pull, nil)
		at := bindTo(t, pull, endpoint)
		push, w := stopping(t, msgcore.Push, msgcore.StopDisconnected)
		require.NoError(t, push.Connect(at))
		exchange(t, pull, push, "before")
		require.NoError(t, pull.Close())
		closed := w.times(t, 1, msgcore.Closed)
		require.Equal(t, at, closed.Endpoint)
		require.Error(t, closed.Err)
		require.Len(t, w.kindsOf(msgcore.Disconnected), 1)
		require.Empty(t, w.kindsOf(msgcore.ConnectRetried))
	})
}
