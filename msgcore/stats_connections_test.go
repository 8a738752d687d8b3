package msgcore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// Without a monitor, too, connections and refusals are counted at both ends.
func TestStatsOfConnections(t *testing.T) {
	again := &msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond, Refused: -1}}
	pull, push, sub := msgcore.NewPull(nil), msgcore.NewPush(again), msgcore.NewSub(again)
	defer pull.Close()
	defer push.Close()
	defer sub.Close()
	endpoint := unused(t, "tcp")
	require.NoError(t, push.Connect(endpoint))
	require.Eventually(t, func() bool { return push.Stats().ConnectRetried > 0 }, patience, time.Millisecond)
	require.Zero(t, push.Stats().Connected)
	_, err := pull.Bind(ctx30(t), endpoint)
	require.NoError(t, err)
	require.NoError(t, push.WaitPeers(ctx30(t), 1))
	require.NoError(t, sub.Connect(endpoint)) // which a PULL refuses
	require.Eventually(t, func() bool {
		s := pull.Stats()
		return s.Accepted == 2 && s.HandshakeSucceeded == 1 && s.HandshakeFailed == 1 && sub.Stats().HandshakeFailed == 1
	}, patience, time.Millisecond)
	require.NoError(t, pull.Close())
	require.Eventually(t, func() bool { return push.Stats().Disconnected == 1 }, patience, time.Millisecond)
	require.EqualValues(t, 1, push.Stats().Connected)
	require.EqualValues(t, 1, pull.Stats().Disconnected)
	require.Zero(t, push.Stats().Accepted+push.Stats().HandshakeFailed)
}
