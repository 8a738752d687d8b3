package msgcore_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// With Options.Spin everything is as without: replies come, also late ones, a
// context that ends ends its Recv, and so does Close.
func TestSpin(t *testing.T) {
	opts := &msgcore.Options{Spin: 10 * time.Millisecond}
	schemes(t, func(t *testing.T, ep string) {
		rep, req := msgcore.NewRep(opts), msgcore.NewReq(opts)
		pair(t, rep, req, ep)
		answer, answered := make(chan struct{}), make(chan error, 1)
		go func() {
			for {
				m, err := rep.Recv(context.Background())
				if err != nil {
					answered <- err
					return
				}
				<-answer
				if err := rep.SendMsg(context.Background(), m); err != nil {
					answered <- err
					return
				}
			}
		}()
		for range 100 {
			require.NoError(t, req.Send(ctx30(t), []byte("question")))
			answer <- struct{}{}
			m, err := req.Recv(ctx30(t))
			require.NoError(t, err)
			require.Equal(t, "question", string(m.Bytes()))
			m.Release()
		}

		require.NoError(t, req.Send(ctx30(t), []byte("late")))
		for _, patience := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			_, err := req.Recv(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		_, ok, err := req.TryRecv()
		require.NoError(t, err)
		require.False(t, ok)
		answer <- struct{}{}
		m, err := req.Recv(ctx30(t))
		require.NoError(t, err)
		require.Equal(t, "late", string(m.Bytes()))

		require.NoError(t, rep.Close())
		require.ErrorIs(t, <-answered, net.ErrClosed)
	})
}
