//go:build !race

package msgcore_test

import (
	"context"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// mallocs returns how many allocations f makes, with all that goes on beside it,
// for each of n messages.
func mallocs(n int, f func()) float64 {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

const allocMessages = 100_000

// Sending a message of 64 B over tcp allocates nothing. The peer is none of ours.
func TestSendAllocations(t *testing.T) {
	push := msgcore.NewPush(&msgcore.Options{Linger: msgcore.Discard})
	defer push.Close()
	ep, err := push.Bind(ctx30(t), "tcp://127.0.0.1:*")
	require.NoError(t, err)
	nc, _ := dialRaw(t, ep, "PULL")
	require.NoError(t, push.WaitPeers(ctx30(t), 1))
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, struct{ io.Reader }{nc})
	}()
	ctx, body, topic := context.Background(), make([]byte, 64), []byte("topic")
	for name, send := range map[string]func() error{
		"Send":        func() error { return push.Send(ctx, body) },
		"Send, three": func() error { return push.Send(ctx, topic, body, body) },
		"Send, cancellable": func() error {
			return push.Send(t.Context(), body)
		},
	} {
		n := mallocs(allocMessages, func() {
			for range allocMessages {
				if err := send(); err != nil {
					t.Error(err)
					return
				}
			}
		})
		t.Logf("%s: %.4f allocations", name, n)
		require.Less(t, n, 0.02, name)
	}
	push.Close()
	<-read
}

// Receiving one costs next to nothing, with all of sending it.
func TestRecvAllocations(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		for _, c := range []struct {
			name string
			most float64
			recv func(s *msgcore.Socket) (int, error)
		}{
			{"released", 0.05, func(s *msgcore.Socket) (int, error) {
				m, err := s.Recv(context.Background())
				m.Release()
				return 1, err
			}},
			{"owned", 0.1, func(s *msgcore.Socket) (int, error) {
				_, err := s.Recv(context.Background())
				return 1, err
			}},
			{"batch", 0.02, func() func(s *msgcore.Socket) (int, error) {
				batch := make([]msgcore.Msg, 64)
				return func(s *msgcore.Socket) (int, error) {
					n, err := s.RecvBatch(context.Background(), batch)
					msgcore.ReleaseBatch(batch[:n])
					return n, err
				}
			}()},
		} {
			t.Run(c.name, func(t *testing.T) {
				pull, push := msgcore.NewPull(nil), msgcore.NewPush(nil)
				pair(t, pull, push, ep)
				require.NoError(t, push.WaitPeers(ctx30(t), 1))
				body := make([]byte, 64)
				run := func(messages int) {
					sent := make(chan error, 1)
					go func() {
						for range messages {
							if err := push.Send(context.Background(), body); err != nil {
								sent <- err
								return
							}
						}
						sent <- nil
					}()
					for left := messages; left > 0; {
						n, err := c.recv(pull)
						require.NoError(t, err)
						left -= n
					}
					require.NoError(t, <-sent)
				}
				run(10_000) // slabs grow
				n := mallocs(allocMessages, func() { run(allocMessages) })
				t.Logf("%.4f allocations", n)
				require.Less(t, n, c.most)
			})
		}
	})
}

// A round trip of a REQ and a REP allocates nothing either.
func TestRoundTripAllocations(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		rep, req := msgcore.NewRep(nil), msgcore.NewReq(nil)
		pair(t, rep, req, ep)
		ctx := context.Background()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				m, err := rep.Recv(ctx)
				if err != nil || rep.Send(ctx, m.Frames...) != nil {
					return
				}
				m.Release()
			}
		}()
		trip := func(n int) {
			body := make([]byte, 64)
			for range n {
				require.NoError(t, req.Send(ctx, body))
				m, err := req.Recv(ctx)
				require.NoError(t, err)
				m.Release()
			}
		}
		trip(100)
		const trips = 3000
		n := mallocs(trips, func() { trip(trips) })
		t.Logf("%.4f allocations", n)
		require.Less(t, n, 0.1)
		rep.Close()
		<-done
	})
}
