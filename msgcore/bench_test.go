package msgcore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/solomq/solomq/msgcore"
)

// benchEndpoint returns an endpoint of the given scheme to bind.
func benchEndpoint(b *testing.B, scheme string) string {
	switch scheme {
	case "tcp":
		return "tcp://127.0.0.1:*"
	case "ipc":
		return "ipc://" + filepath.Join(b.TempDir(), "s")
	}
	return "inproc://*"
}

// benchPair binds one socket and connects the other.
func benchPair(b *testing.B, bind, connect *msgcore.Socket, scheme string) {
	b.Helper()
	ctx := context.Background()
	ep, err := bind.Bind(ctx, benchEndpoint(b, scheme))
	if err != nil {
		b.Fatal(err)
	}
	if err := connect.Connect(ep); err != nil {
		b.Fatal(err)
	}
	if err := connect.WaitPeers(ctx, 1); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		connect.Close()
		bind.Close()
	})
}

// BenchmarkThroughput is one PUSH, one PULL and messages of one frame. Owned
// messages are left to the collector, released ones given back.
func BenchmarkThroughput(b *testing.B) {
	for _, scheme := range []string{"inproc", "ipc", "tcp"} {
		for _, size := range []int{16, 64, 1 << 10, 16 << 10, 64 << 10, 1 << 20} {
			for _, mode := range []string{"owned", "released", "batch"} {
				b.Run(fmt.Sprintf("%s/%d/%s", scheme, size, mode), func(b *testing.B) {
					benchThroughput(b, scheme, size, mode)
				})
			}
		}
	}
}

func benchThroughput(b *testing.B, scheme string, size int, mode string) {
	push, pull := msgcore.NewPush(nil), msgcore.NewPull(nil)
	benchPair(b, pull, push, scheme)
	ctx := context.Background()
	body := make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for range b.N {
			if push.Send(ctx, body) != nil {
				return
			}
		}
	}()
	if mode == "batch" {
		msgs := make([]msgcore.Msg, 64)
		for left := b.N; left > 0; {
			n, err := pull.RecvBatch(ctx, msgs)
			if err != nil {
				b.Fatal(err)
			}
			msgcore.ReleaseBatch(msgs[:n])
			left -= n
		}
		return
	}
	for range b.N {
		m, err := pull.Recv(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if mode == "released" {
			m.Release()
		}
	}
}

// BenchmarkSendBatch gives 64 messages at a time.
func BenchmarkSendBatch(b *testing.B) {
	for _, scheme := range []string{"inproc", "tcp"} {
		b.Run(scheme, func(b *testing.B) {
			push, pull := msgcore.NewPush(nil), msgcore.NewPull(nil)
			benchPair(b, pull, push, scheme)
			ctx := context.Background()
			out := make([]msgcore.Msg, 64)
			for i := range out {
				out[i].Frames = [][]byte{make([]byte, 64)}
			}
			b.SetBytes(64)
			b.ReportAllocs()
			b.ResetTimer()
			go func() {
				for left := b.N; left > 0; left -= len(out) {
					if _, err := push.SendBatch(ctx, out[:min(left, len(out))]); err != nil {
						return
					}
				}
			}()
			in := make([]msgcore.Msg, 64)
			for left := b.N; left > 0; {
				n, err := pull.RecvBatch(ctx, in)
				if err != nil {
					b.Fatal(err)
				}
				msgcore.ReleaseBatch(in[:n])
				left -= n
			}
		})
	}
}

// BenchmarkRoundTrip is a REQ and a REP, one request at a time.
func BenchmarkRoundTrip(b *testing.B) {
	for _, scheme := range []string{"inproc", "ipc", "tcp"} {
		for _, size := range []int{32, 64 << 10} {
			b.Run(fmt.Sprintf("%s/%d", scheme, size), func(b *testing.B) {
				req, rep := msgcore.NewReq(nil), msgcore.NewRep(nil)
				benchPair(b, rep, req, scheme)
				ctx := context.Background()
				go func() {
					for m, err := range rep.Messages(ctx) {
						if err != nil || rep.SendMsg(ctx, m) != nil {
							return
						}
					}
				}()
				body := make([]byte, size)
				b.SetBytes(int64(2 * size))
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					if err := req.Send(ctx, body); err != nil {
						b.Fatal(err)
					}
					m, err := req.Recv(ctx)
					if err != nil {
						b.Fatal(err)
					}
					m.Release()
				}
			})
		}
	}
}

// BenchmarkRequest has many requests under way at once.
func BenchmarkRequest(b *testing.B) {
	for _, scheme := range []string{"inproc", "tcp"} {
		b.Run(scheme, func(b *testing.B) {
			dealer, rep := msgcore.NewDealer(nil), msgcore.NewRep(nil)
			benchPair(b, rep, dealer, scheme)
			ctx := context.Background()
			go func() {
				for m, err := range rep.Messages(ctx) {
					if err != nil || m.Reply(ctx, m.Frames...) != nil {
						return
					}
					m.Release()
				}
			}()
			body := make([]byte, 32)
			b.SetParallelism(16)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					m, err := dealer.Request(ctx, body)
					if err != nil {
						b.Error(err)
						return
					}
					m.Release()
				}
			})
		})
	}
}

// BenchmarkPub sends to ten subscribers.
func BenchmarkPub(b *testing.B) {
	pub := msgcore.NewPub(&msgcore.Options{SendHWM: -1})
	ctx := context.Background()
	ep, err := pub.Bind(ctx, "tcp://127.0.0.1:*")
	if err != nil {
		b.Fatal(err)
	}
	const subs = 10
	done := make(chan error, subs)
	n := b.N
	for range subs {
		sub := msgcore.NewSub(nil)
		b.Cleanup(func() { sub.Close() })
		if err := sub.Subscribe("t"); err != nil {
			b.Fatal(err)
		}
		if err := sub.Connect(ep); err != nil {
			b.Fatal(err)
		}
		go func() {
			in := make([]msgcore.Msg, 64)
			for left := n; left > 0; {
				n, err := sub.RecvBatch(ctx, in)
				if err != nil {
					done <- err
					return
				}
				msgcore.ReleaseBatch(in[:n])
				left -= n
			}
			done <- nil
		}()
	}
	b.Cleanup(func() { pub.Close() })
	if err := pub.WaitSubscribers(ctx, subs); err != nil {
		b.Fatal(err)
	}
	topic, body := []byte("topic"), make([]byte, 64)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if err := pub.Send(ctx, topic, body); err != nil {
			b.Fatal(err)
		}
	}
	for range subs {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
