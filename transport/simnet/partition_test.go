package simnet_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport/simnet"
)

// What a test of a program looks like: a subscriber finds its publisher again
// after a partition of an hour, which takes no time at all.
func TestSubscriberSurvivesPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := simnet.New()
		server, client := network.Host("server"), network.Host("client")
		heartbeat := msgcore.Heartbeat{Interval: 5 * time.Second}

		pub := msgcore.NewPub(&msgcore.Options{Transports: server.Lookup, Heartbeat: heartbeat})
		defer pub.Close()
		sub := msgcore.NewSub(&msgcore.Options{Transports: client.Lookup, Heartbeat: heartbeat})
		defer sub.Close()
		_, err := pub.Bind(t.Context(), "tcp://*:5555")
		require.NoError(t, err)
		require.NoError(t, sub.Connect("tcp://server:5555"))
		require.NoError(t, sub.Subscribe("news"))
		require.NoError(t, pub.WaitSubscribers(t.Context(), 1))

		client.Link(server).Cut()
		time.Sleep(time.Hour)
		require.Zero(t, client.Link(server).Conns(), "nobody has noticed")
		client.Link(server).Mend()

		require.NoError(t, pub.WaitSubscribers(t.Context(), 1))
		require.NoError(t, pub.Send(t.Context(), []byte("news"), []byte("we are back")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		m, err := sub.Recv(ctx)
		require.NoError(t, err)
		require.Equal(t, "we are back", string(m.Frames[1]))
	})
}
