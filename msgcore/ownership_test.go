package msgcore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// The sizes around which the data path changes its way with a frame.
var bodySizes = []int{0, 1, 255, 256, 1000, 8191, 8192, 8193, 20_000, 65_536, 100 << 10}

// sizedMsg has frames of all kinds, n of them; the content follows from seed.
func sizedMsg(seed, n int) [][]byte {
	frames := make([][]byte, n)
	for i := range frames {
		frames[i] = striped(bodySizes[(seed+i*3)%len(bodySizes)], byte(seed+i))
	}
	return frames
}

func requireMsg(t *testing.T, seed, n int, frames [][]byte) {
	t.Helper()
	if want := sizedMsg(seed, n); !sameFrames(want, frames) {
		t.Fatalf("message %d of %d frames is not as it was sent", seed, n)
	}
}

func sameFrames(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if string(a[i]) != string(b[i]) {
			return false
		}
	}
	return true
}

func wipe(frames [][]byte) {
	for _, f := range frames {
		for i := range f {
			f[i] = 0xEE
		}
	}
	clear(frames)
}

// Send has done with its buffers when it returns.
func TestOverwriteAfterSend(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		for _, typ := range [][2]msgcore.Type{{msgcore.Push, msgcore.Pull}, {msgcore.Pub, msgcore.Sub}, {msgcore.Dealer, msgcore.Dealer}, {msgcore.Pair, msgcore.Pair}} {
			t.Run(typ[0].String(), func(t *testing.T) {
				from, to := msgcore.New(typ[0], unlimited), msgcore.New(typ[1], unlimited)
				if typ[1] == msgcore.Sub {
					require.NoError(t, to.Subscribe(""))
				}
				pair(t, from, to, ep)
				require.NoError(t, from.WaitPeers(ctx, 1))
				if typ[0] == msgcore.Pub {
					require.NoError(t, from.WaitSubscribers(ctx, 1))
				}
				n := scaled(60, 1000)
				for i := range n {
					frames := sizedMsg(i, 1+i%5)
					require.NoError(t, from.Send(ctx, frames...))
					wipe(frames)
				}
				for i := range n {
					m, err := to.Recv(ctx)
					require.NoError(t, err)
					requireMsg(t, i, 1+i%5, m.Frames)
					m.Release()
				}
			})
		}
		t.Run("Request", func(t *testing.T) {
			rep, req := msgcore.NewRep(nil), msgcore.NewReq(nil)
			pair(t, rep, req, ep)
			done := make(chan error, 1)
			go func() {
				for range 40 {
					m, err := rep.Recv(ctx)
					if err == nil {
						err = m.Reply(ctx, m.Frames...)
						wipe(m.Frames)
						m.Release()
					}
					if err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
			for i := range 40 {
				m, err := req.Request(ctx, sizedMsg(i, 3)...)
				require.NoError(t, err)
				requireMsg(t, i, 3, m.Frames)
				m.Release()
			}
			require.NoError(t, <-done)
		})
	})
}

// Appending to a received frame, or changing it, changes no other.
func TestAppendToReceived(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		pull, push := msgcore.NewPull(unlimited), msgcore.NewPush(unlimited)
		pair(t, pull, push, ep)
		const n = 200
		for i := range n {
			require.NoError(t, push.Send(ctx, sizedMsg(i, 3)...))
		}
		var all []msgcore.Msg
		for len(all) < n {
			batch := make([]msgcore.Msg, 32)
			k, err := pull.RecvBatch(ctx, batch)
			require.NoError(t, err)
			all = append(all, batch[:k]...)
		}
		for i, m := range all {
			for j, f := range m.Frames {
				require.Equal(t, len(f), cap(f), "message %d frame %d", i, j)
				_ = append(f, "overwritten"...)
			}
			require.Equal(t, len(m.Frames), cap(m.Frames))
			_ = append(m.Frames, []byte("one more"))
		}
		for i, m := range all {
			requireMsg(t, i, 3, m.Frames)
			wipe(m.Frames) // and the later ones stay as they are
		}
	})
}

// What one subscriber does to its message, no other one sees, and neither does
// the publisher.
func TestSubscribersOwnTheirs(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		for _, given := range []bool{false, true} {
			t.Run(fmt.Sprint("given=", given), func(t *testing.T) {
				ctx := ctx30(t)
				pub := msgcore.NewPub(unlimited)
				bound, err := pub.Bind(ctx, ep)
				require.NoError(t, err)
				defer pub.Close()
				subs := make([]*msgcore.Socket, 3)
				for i := range subs {
					subs[i] = msgcore.NewSub(unlimited)
					defer subs[i].Close()
					require.NoError(t, subs[i].Subscribe(""))
					require.NoError(t, subs[i].Connect(bound))
				}
				require.NoError(t, pub.WaitSubscribers(ctx, len(subs)))
				for i := range scaled(30, 500) {
					frames := sizedMsg(i, 4)
					if given {
						require.NoError(t, pub.SendMsg(ctx, msgcore.Msg{Frames: frames}))
					} else {
						require.NoError(t, pub.Send(ctx, frames...))
						requireMsg(t, i, 4, frames)
						wipe(frames)
					}
					for _, s := range subs {
						m, err := s.Recv(ctx)
						require.NoError(t, err)
						requireMsg(t, i, 4, m.Frames)
						wipe(m.Frames)
						if i%2 == 0 {
							m.Release()
						}
					}
				}
			})
		}
	})
}

// Releasing twice, by a copy, and long after the buffers are in use again, hurts
// no other message. With the race detector, released bytes are overwritten.
func TestReleaseAgain(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		pull, push := msgcore.NewPull(nil), msgcore.NewPush(nil)
		pair(t, pull, push, ep)
		n := scaled(4000, 100_000)
		go func() {
			for i := range n {
				if push.Send(ctx, mixed(i)...) != nil {
					return
				}
			}
		}()
		type kept struct {
			i int
			m msgcore.Msg
		}
		r := rand.New(rand.NewPCG(5, 6))
		var keep []kept
		var stale []msgcore.Msg
		for i := range n {
			m, err := pull.Recv(ctx)
			require.NoError(t, err)
			if !sameFrames(mixed(i), m.Frames) {
				t.Fatalf("message %d is not as it was sent", i)
			}
			switch r.IntN(8) {
			case 0, 1: // forgotten, or kept for a while
				keep = append(keep, kept{i, m})
			case 2:
				msgcore.ReleaseBatch([]msgcore.Msg{m, m, {}, m})
				stale = append(stale, m)
			case 3:
				m.Release()
				m.Release()
				stale = append(stale, m)
			default:
				again := m
				m.Release()
				again.Release()
				require.Nil(t, again.Peer())
				stale = append(stale, again)
			}
			if len(stale) > 50 {
				j := r.IntN(len(stale))
				if r.IntN(2) == 0 {
					stale[j].Release()
				} else {
					msgcore.ReleaseBatch(stale[j:])
				}
				stale = append(stale[:j], stale[j+1:]...)
			}
			if len(keep) > 200 {
				j := r.IntN(len(keep))
				if !sameFrames(mixed(keep[j].i), keep[j].m.Frames) {
					t.Fatalf("message %d, kept until %d, has changed", keep[j].i, i)
				}
				keep[j].m.Release()
				stale = append(stale, keep[j].m)
				keep = append(keep[:j], keep[j+1:]...)
			}
		}
		for _, k := range keep {
			if !sameFrames(mixed(k.i), k.m.Frames) {
				t.Fatalf("message %d, kept to the end, has changed", k.i)
			}
		}
	})
}

// mixed is a small message mostly, and now and then one with a large frame.
func mixed(i int) [][]byte {
	frames := [][]byte{fmt.Append(nil, i), striped(i*31%400, byte(i))}
	if i%29 == 0 {
		frames = append(frames, striped(9000+i%5000, byte(i)))
	}
	return frames
}

// One batch may hold messages of several sockets, released ones, copies, and
// some that were never received.
func TestReleaseBatchMixed(t *testing.T) {
	ctx := ctx30(t)
	var sockets [3]*msgcore.Socket
	var from [3]*msgcore.Socket
	for i, scheme := range []string{"tcp://127.0.0.1:*", "inproc://" + t.Name(), "tcp://127.0.0.1:*"} {
		sockets[i], from[i] = msgcore.NewPull(nil), msgcore.NewPush(nil)
		pair(t, sockets[i], from[i], scheme)
	}
	r := rand.New(rand.NewPCG(7, 8))
	for round := range scaled(30, 1000) {
		var batch, keep []msgcore.Msg
		for i := range 90 {
			require.NoError(t, from[i%3].Send(ctx, mixed(round*90+i)...))
		}
		for i := range 90 {
			m, err := sockets[i%3].Recv(ctx)
			require.NoError(t, err)
			if i%10 == 0 {
				keep = append(keep, m)
				continue
			}
			if i%5 == 0 {
				batch = append(batch, m, msgcore.Msg{Frames: [][]byte{[]byte("made by hand")}}, m.Clone(), msgcore.Msg{})
			}
			if i%7 == 0 {
				m.Release() // its frames must not be read any more
			}
			batch = append(batch, m)
		}
		r.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		msgcore.ReleaseBatch(batch)
		msgcore.ReleaseBatch(batch)
		for i, m := range keep {
			if !sameFrames(mixed(round*90+i*10), m.Frames) {
				t.Fatalf("round %d: message %d was not in the batch, and has changed", round, i*10)
			}
			require.NotNil(t, m.Peer())
			m.Release()
			require.Nil(t, m.Peer())
		}
	}
}

// A clone shares nothing with its original.
func TestClone(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		rep, req := msgcore.NewRep(nil), msgcore.NewReq(nil)
		pair(t, rep, req, ep)
		require.NoError(t, req.Send(ctx, sizedMsg(3, 6)...))
		m, err := rep.Recv(ctx)
		require.NoError(t, err)
		c := m.Clone()
		wipe(m.Frames)
		requireMsg(t, 3, 6, c.Frames)
		for _, f := range c.Frames {
			require.Equal(t, len(f), cap(f))
		}
		require.Nil(t, c.Peer())
		var oe *msgcore.OpError
		require.ErrorAs(t, c.Reply(ctx, []byte("x")), &oe)
		require.Equal(t, "reply", oe.Op)
		require.NoError(t, m.Reply(ctx, []byte("y")))
		m.Release()
		requireMsg(t, 3, 6, c.Frames)
		c.Release()
		requireMsg(t, 3, 6, c.Frames)
	})
}

// Reply wants a message that can be replied to, and that is not released.
func TestReplyAfterRelease(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		for _, typ := range []msgcore.Type{msgcore.Rep, msgcore.Router} {
			t.Run(typ.String(), func(t *testing.T) {
				ctx := ctx30(t)
				server, dealer := msgcore.New(typ, nil), msgcore.NewDealer(nil)
				pair(t, server, dealer, ep)
				require.NoError(t, dealer.Send(ctx, nil, []byte("one")))
				require.NoError(t, dealer.Send(ctx, nil, []byte("two")))
				one, err := server.Recv(ctx)
				require.NoError(t, err)
				two, err := server.Recv(ctx)
				require.NoError(t, err)
				copied := one
				one.Release()
				var oe *msgcore.OpError
				require.ErrorAs(t, one.Reply(ctx, []byte("x")), &oe)
				require.ErrorAs(t, copied.Reply(ctx, []byte("x")), &oe)
				require.NoError(t, two.Reply(ctx, []byte("three")))
				m, err := dealer.Recv(ctx)
				require.NoError(t, err)
				require.Equal(t, "three", string(m.Frames[len(m.Frames)-1]))
				require.ErrorAs(t, m.Reply(ctx, []byte("x")), &oe, "a DEALER's cannot be replied to")
				require.ErrorAs(t, msgcore.Msg{Frames: [][]byte{nil}}.Reply(ctx, []byte("x")), &oe)
			})
		}
	})
}

// A received message given to SendMsg goes on as it is, by one hop or several, and
// its buffers are used again only when nobody needs them.
func TestForward(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		for _, batch := range []bool{false, true} {
			t.Run(fmt.Sprint("batch=", batch), func(t *testing.T) {
				const hops = 3
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				source, sink := msgcore.NewPush(nil), msgcore.NewPull(nil)
				from := source
				var links sync.WaitGroup
				for h := range hops {
					in, out := msgcore.NewPull(nil), msgcore.NewPush(nil)
					pair(t, in, from, endpointNo(t, ep, h))
					from = out
					links.Add(1)
					go func() {
						defer links.Done()
						if err := forward(ctx, in, out, batch); err != nil && !ends(err) {
							t.Error(err)
						}
					}()
				}
				pair(t, sink, from, endpointNo(t, ep, hops))
				n := scaled(500, 20000)
				go func() {
					for i := range n {
						if source.Send(ctx, hopMsg(i)...) != nil {
							return
						}
					}
				}()
				type kept struct {
					i int
					m msgcore.Msg
				}
				var keep []kept
				for i := range n {
					soon, done := context.WithTimeout(ctx, patience) // for each: all of them may take long
					m, err := sink.Recv(soon)
					done()
					require.NoError(t, err)
					if !sameFrames(hopMsg(i), m.Frames) {
						t.Fatalf("message %d is not as it was sent", i)
					}
					if i%17 == 0 {
						keep = append(keep, kept{i, m})
						continue
					}
					m.Release()
				}
				for _, k := range keep {
					if !sameFrames(hopMsg(k.i), k.m.Frames) {
						t.Fatalf("message %d, kept, has changed", k.i)
					}
				}
				cancel()
				links.Wait()
			})
		}
	})
}

// endpointNo makes several endpoints of one.
func endpointNo(t *testing.T, ep string, i int) string {
	if ep == "tcp://127.0.0.1:*" {
		return ep
	}
	return fmt.Sprint(ep, ".", i)
}

// hopMsg is small, or has large frames, first, last, or several.
func hopMsg(i int) [][]byte {
	switch i % 6 {
	case 0:
		return [][]byte{striped(100<<10, byte(i))}
	case 1:
		return [][]byte{striped(9000, byte(i)), fmt.Append(nil, i), striped(20000, byte(i+1)), nil}
	}
	return [][]byte{fmt.Append(nil, i), striped(i%300, byte(i))}
}

func forward(ctx context.Context, in, out *msgcore.Socket, batch bool) error {
	msgs := make([]msgcore.Msg, 8)
	for {
		if !batch {
			m, err := in.Recv(ctx)
			if err == nil {
				err = out.SendMsg(ctx, m)
			}
			if err != nil {
				return err
			}
			continue
		}
		n, err := in.RecvBatch(ctx, msgs)
		if err == nil {
			_, err = out.SendBatch(ctx, msgs[:n])
		}
		if err != nil {
			return err
		}
	}
}

// A received message forwarded to several subscribers is given back when the last
// has it.
func TestForwardToSubscribers(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		source, in, pub := msgcore.NewPush(nil), msgcore.NewPull(nil), msgcore.NewPub(unlimited)
		pair(t, in, source, endpointNo(t, ep, 1))
		bound, err := pub.Bind(ctx, endpointNo(t, ep, 2))
		require.NoError(t, err)
		defer pub.Close()
		subs := make([]*msgcore.Socket, 3)
		for i := range subs {
			subs[i] = msgcore.NewSub(unlimited)
			defer subs[i].Close()
			require.NoError(t, subs[i].Subscribe(""))
			require.NoError(t, subs[i].Connect(bound))
		}
		require.NoError(t, pub.WaitSubscribers(ctx, len(subs)))
		n := scaled(200, 5000)
		for i := range n {
			require.NoError(t, source.Send(ctx, hopMsg(i)...))
			m, err := in.Recv(ctx)
			require.NoError(t, err)
			require.NoError(t, pub.SendMsg(ctx, m))
		}
		for k, s := range subs {
			for i := range n {
				m, err := s.Recv(ctx)
				require.NoError(t, err)
				if !sameFrames(hopMsg(i), m.Frames) {
					t.Fatalf("subscriber %d: message %d is not as it was sent", k, i)
				}
				wipe(m.Frames)
				m.Release()
			}
		}
	})
}

// What was not taken is still the caller's.
func TestNotTakenIsKept(t *testing.T) {
	ctx := ctx30(t)
	source, in := msgcore.NewPush(nil), msgcore.NewPull(nil)
	pair(t, in, source, "inproc://"+t.Name())
	full := msgcore.NewPush(nil) // nobody to send to
	defer full.Close()
	require.NoError(t, source.Send(ctx, hopMsg(1)...))
	require.NoError(t, source.Send(ctx, hopMsg(2)...))
	a, err := in.Recv(ctx)
	require.NoError(t, err)
	b, err := in.Recv(ctx)
	require.NoError(t, err)
	ok, err := full.TrySend(a)
	require.NoError(t, err)
	require.False(t, ok)
	over, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, full.SendMsg(over, a), context.Canceled)
	n, err := full.SendBatch(over, []msgcore.Msg{a, b})
	require.Zero(t, n)
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, sameFrames(hopMsg(1), a.Frames))
	require.True(t, sameFrames(hopMsg(2), b.Frames))
	require.NotNil(t, a.Peer())
	msgcore.ReleaseBatch([]msgcore.Msg{a, b})
	require.Nil(t, a.Peer())
}

// What a socket refuses is nobody's message: the buffers are used again, so neither
// those who look without waiting nor those whose socket is closed may hold it.
func TestRefusedIsNoMessage(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		rep, dealer := open(t, msgcore.Rep, nil), open(t, msgcore.Dealer, nil)
		require.NoError(t, dealer.Connect(bindTo(t, rep, ep)))
		require.NoError(t, dealer.WaitPeers(limited(t), 1))
		refused := func(n uint64) bool { return rep.Stats().DroppedMalformed == n }
		sendTexts(t, dealer, "no envelope")
		for ctx := limited(t); !refused(1); runtime.Gosched() {
			m, ok, err := rep.TryRecv()
			require.NoError(t, err)
			require.False(t, ok)
			require.Zero(t, m)
			require.NoError(t, ctx.Err())
		}

		type result struct {
			msgcore.Msg
			error
		}
		got := make(chan result, 1)
		go func() {
			m, err := rep.Recv(context.Background())
			got <- result{m, err}
		}()
		sendTexts(t, dealer, "no envelope")
		require.Eventually(t, func() bool { return refused(2) }, patience, 1e6)
		require.NoError(t, rep.Close())
		r := <-got
		require.ErrorIs(t, r.error, net.ErrClosed)
		require.Zero(t, r.Msg)
	})
}
