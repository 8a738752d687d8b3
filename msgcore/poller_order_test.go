package msgcore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// What a Poller has found comes first, whichever way it is received.
func TestPollerKeepsTheOrder(t *testing.T) {
	for _, batch := range []bool{false, true} {
		t.Run(map[bool]string{false: "one by one", true: "in batches"}[batch], func(t *testing.T) {
			pull, push := msgcore.NewPull(nil), msgcore.NewPush(nil)
			defer pull.Close()
			defer push.Close()
			bound, err := pull.Bind(ctx30(t), "inproc://"+t.Name())
			require.NoError(t, err)
			require.NoError(t, push.Connect(bound))
			for i := range 5 {
				require.NoError(t, push.Send(ctx30(t), []byte{byte('0' + i)}))
			}
			var p msgcore.Poller
			p.Add(pull, msgcore.PollIn)
			_, err = p.Wait(ctx30(t), nil)
			require.NoError(t, err)
			got := ""
			for len(got) < 5 {
				if batch {
					var b [2]msgcore.Msg
					n, err := pull.RecvBatch(ctx30(t), b[:])
					require.NoError(t, err)
					for _, m := range b[:n] {
						got += string(m.Bytes())
					}
					continue
				}
				m, err := pull.Recv(ctx30(t))
				require.NoError(t, err)
				got += string(m.Bytes())
			}
			require.Equal(t, "01234", got)
		})
	}
}

// A REP that receives in batches answers as fast as one that does not: within some
// milliseconds, and not when the session's own goroutine comes back.
func TestLockstepBatch(t *testing.T) {
	const trips = 100
	took := func(recv func(s *msgcore.Socket) (msgcore.Msg, error)) time.Duration {
		rep, req := msgcore.NewRep(nil), msgcore.NewReq(nil)
		pair(t, rep, req, "tcp://127.0.0.1:*")
		done := make(chan error, 1)
		begin := time.Now()
		go func() {
			for range trips {
				m, err := recv(rep)
				if err == nil {
					err = rep.SendMsg(ctx30(t), m)
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for range trips {
			require.NoError(t, req.Send(ctx30(t), []byte("question")))
			m, err := recv(req)
			require.NoError(t, err)
			require.Equal(t, "question", string(m.Bytes()))
		}
		require.NoError(t, <-done)
		return time.Since(begin)
	}
	one := took(func(s *msgcore.Socket) (msgcore.Msg, error) { return s.Recv(ctx30(t)) })
	batch := took(func(s *msgcore.Socket) (msgcore.Msg, error) {
		var m [1]msgcore.Msg
		_, err := s.RecvBatch(ctx30(t), m[:])
		return m[0], err
	})
	require.Less(t, batch, 20*one+time.Second, "%d trips took %v by Recv", trips, one)
}
