//go:build !race

package msgcore_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// mallocs returns how many allocations f makes, with all that goes on beside it,
// for each of n messages.
func mallocs(n int, f func()) float64 {
	_, count := heapUse(n, f)
	return count
}

// heapUse is mallocs, and tells how many bytes they have.
func heapUse(n int, f func()) (size, count float64) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / float64(n), float64(after.Mallocs-before.Mallocs) / float64(n)
}

// What a connection allocates until it is ready and has received a message, beyond
// what it takes to accept it. Half of that stays; the rest is garbage, which a server
// that thousands connect to has as well until the collector runs.
func TestHandshakeAllocations(t *testing.T) {
	const n = 200
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer plain.Close()
	router := msgcore.NewRouter(nil)
	defer router.Close()
	ep, err := router.Bind(ctx30(t), "tcp://127.0.0.1:*")
	require.NoError(t, err)

	ours, theirs := zmtp.AppendGreeting(nil, zmtp.Greeting{Version: zmtp.Version{Major: 3, Minor: 1}, Mechanism: "NULL"}), make([]byte, 10)
	ours = append(ours, readyOf("DEALER")...)
	ours = append(ours, frame(0, []byte("hello"))...)
	dial := func(addr string) net.Conn {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	accepting := func() {
		for range n {
			dial(plain.Addr().String())
			c, err := plain.Accept()
			require.NoError(t, err)
			t.Cleanup(func() { c.Close() })
		}
	}
	ctx := ctx30(t)
	serving := func() {
		for range n {
			c := dial(strings.TrimPrefix(ep, "tcp://"))
			_, err := io.ReadFull(c, theirs) // it has looked whether we begin, in vain
			require.NoError(t, err)
			_, err = c.Write(ours)
			require.NoError(t, err)
			_, err = router.Recv(ctx)
			require.NoError(t, err)
		}
	}
	serving() // what is there once
	size, count := heapUse(n, serving)
	bareSize, bareCount := heapUse(n, accepting)
	size, count = size-bareSize, count-bareCount
	t.Logf("%.1f bytes, %.1f allocations", size, count)
	require.Less(t, size, 4500.0)
	require.Less(t, count, 52.0)
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
