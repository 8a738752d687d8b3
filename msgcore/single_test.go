package msgcore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

func TestClientServer(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		server, a, b := msgcore.NewServer(nil), msgcore.NewClient(nil), msgcore.NewClient(nil)
		defer b.Close()
		pair(t, server, a, ep)
		require.NoError(t, b.Connect(bound(t, ep, server)))
		require.NoError(t, a.Send(ctx, []byte("from a")))
		first, err := server.Recv(ctx)
		require.NoError(t, err)
		require.NoError(t, b.Send(ctx, []byte("from b")))
		second, err := server.Recv(ctx)
		require.NoError(t, err)
		require.NotZero(t, first.RoutingID)
		require.NotEqual(t, first.RoutingID, second.RoutingID)

		require.NoError(t, second.Reply(ctx, []byte("to b")))
		require.NoError(t, server.SendMsg(ctx, msgcore.Msg{Frames: [][]byte{[]byte("to a")}, RoutingID: first.RoutingID}))
		require.Equal(t, "to a", recvText(t, a))
		require.Equal(t, "to b", recvText(t, b))

		require.Error(t, server.Send(ctx, []byte("to nobody")))
		err = server.SendMsg(ctx, msgcore.Msg{Frames: [][]byte{{}}, RoutingID: first.RoutingID + 7})
		require.ErrorIs(t, err, msgcore.ErrUnroutable)
		require.Error(t, a.Send(ctx, []byte("two"), []byte("frames")))
		require.NoError(t, b.Close())
		require.Eventually(t, func() bool { // the end of the connection travels
			return errors.Is(second.Reply(ctx, []byte("late")), msgcore.ErrUnroutable)
		}, patience, time.Millisecond)
	})
}

func TestScatterGather(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		gather, scatter := msgcore.NewGather(nil), msgcore.NewScatter(nil)
		pair(t, gather, scatter, ep)
		require.Error(t, scatter.Send(ctx, []byte("two"), []byte("frames")))
		_, err := scatter.Recv(ctx)
		require.ErrorIs(t, err, errors.ErrUnsupported)
		for i := range 100 {
			require.NoError(t, scatter.Send(ctx, []byte(fmt.Sprint(i))))
		}
		for i := range 100 {
			require.Equal(t, fmt.Sprint(i), recvText(t, gather))
		}
	})
}

func TestChannel(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		a, b := msgcore.NewChannel(nil), msgcore.NewChannel(nil)
		pair(t, a, b, ep)
		require.NoError(t, b.Send(ctx30(t), []byte("hi")))
		require.Equal(t, "hi", recvText(t, a))
		require.NoError(t, a.Send(ctx30(t), []byte("ho")))
		require.Equal(t, "ho", recvText(t, b))
	})
}

func TestPeerToPeer(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		a, b := msgcore.NewPeer(nil), msgcore.NewPeer(nil)
		defer a.Close()
		defer b.Close()
		at, err := a.Bind(ctx, ep)
		require.NoError(t, err)
		id, err := b.ConnectPeer(ctx, at)
		require.NoError(t, err)
		require.NoError(t, b.SendMsg(ctx, msgcore.Msg{Frames: [][]byte{[]byte("hi")}, RoutingID: id}))
		m, err := a.Recv(ctx)
		require.NoError(t, err)
		require.NoError(t, m.Reply(ctx, []byte("ho")))
		m, err = b.Recv(ctx)
		require.NoError(t, err)
		require.Equal(t, id, m.RoutingID)
		require.Equal(t, "ho", string(m.Bytes()))
	})
}

func TestRadioDish(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		radio, dish, other := msgcore.NewRadio(nil), msgcore.NewDish(nil), msgcore.NewDish(nil)
		defer other.Close()
		require.NoError(t, dish.Join("news"))
		require.ErrorIs(t, dish.Join("news"), msgcore.ErrState)
		pair(t, radio, dish, ep)
		require.NoError(t, other.Connect(bound(t, ep, radio)))
		require.NoError(t, other.Join("weather"))
		require.NoError(t, radio.WaitSubscribers(ctx, 2))
		require.Error(t, radio.Send(ctx, []byte("no group")))
		for _, group := range []string{"new", "weather", "news", "newspaper"} {
			require.NoError(t, radio.Send(ctx, []byte(group), []byte("in "+group)))
		}
		require.Equal(t, "newsin news", recvText(t, dish))
		require.Equal(t, "weatherin weather", recvText(t, other))
		require.NoError(t, dish.Leave("news"))
		require.ErrorIs(t, dish.Leave("news"), msgcore.ErrState)
		require.ErrorIs(t, radio.Join("x"), errors.ErrUnsupported)
	})
}
