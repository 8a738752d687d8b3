package msgcore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// unlimited marks nobody: whom a message goes to depends on the turn alone.
var unlimited = &msgcore.Options{SendHWM: -1, RecvHWM: -1, SendBytes: -1, RecvBytes: -1}

// fanSockets binds a socket of type from and connects n of type to.
func fanSockets(t *testing.T, ep string, from, to msgcore.Type, o *msgcore.Options, n int) (*msgcore.Socket, []*msgcore.Socket) {
	t.Helper()
	src := msgcore.New(from, o)
	t.Cleanup(func() { src.Close() })
	bound, err := src.Bind(ctx30(t), ep)
	require.NoError(t, err)
	peers := make([]*msgcore.Socket, n)
	for i := range peers {
		peers[i] = msgcore.New(to, o)
		t.Cleanup(func() { peers[i].Close() })
		require.NoError(t, peers[i].Connect(bound))
		require.NoError(t, src.WaitPeers(ctx30(t), i+1))
	}
	return src, peers
}

// Messages go to each peer in turn: exactly, while all have room.
func TestSplitsEvenly(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		for _, c := range []struct {
			from, to msgcore.Type
			peers    int
		}{
			{msgcore.Push, msgcore.Pull, 2},
			{msgcore.Push, msgcore.Pull, 7},
			{msgcore.Dealer, msgcore.Dealer, 2},
			{msgcore.Dealer, msgcore.Router, 3},
		} {
			t.Run(fmt.Sprint(c.from, " to ", c.peers), func(t *testing.T) {
				src, peers := fanSockets(t, ep, c.from, c.to, unlimited, c.peers)
				each := scaled(501, 20001) // a multiple of three
				ctx := ctx30(t)
				for i := 0; i < each*c.peers; {
					require.NoError(t, src.Send(ctx, fmt.Append(nil, i)))
					i++
					var batch []msgcore.Msg
					for ; i%(3*c.peers) != 0; i++ {
						batch = append(batch, msgcore.Msg{Frames: [][]byte{fmt.Append(nil, i)}})
					}
					n, err := src.SendBatch(ctx, batch)
					require.NoError(t, err)
					require.Len(t, batch, n)
				}
				for _, p := range peers {
					last := -1
					for range each {
						m, err := p.Recv(ctx)
						require.NoError(t, err)
						var i int
						_, err = fmt.Sscan(string(m.Frames[len(m.Frames)-1]), &i)
						require.NoError(t, err)
						if last >= 0 {
							require.Equal(t, last+c.peers, i, "every peer's turn comes once a round")
						}
						last = i
						m.Release()
					}
					_, more, err := p.TryRecv()
					require.NoError(t, err)
					require.False(t, more)
				}
			})
		}
	})
}

// With REQ the turn is each request's.
func TestSplitsRequests(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		req, reps := fanSockets(t, ep, msgcore.Req, msgcore.Rep, nil, 2)
		ctx, stop := context.WithCancel(ctx30(t))
		done := make(chan struct{})
		for i, rep := range reps {
			go func() {
				defer func() { done <- struct{}{} }()
				for _, err := range rep.Messages(ctx) {
					if err != nil || rep.Send(ctx, []byte{byte(i)}) != nil {
						return
					}
				}
			}()
		}
		var got [2]int
		for range 100 {
			require.NoError(t, req.Send(ctx, nil))
			m, err := req.Recv(ctx)
			require.NoError(t, err)
			got[m.Frames[0][0]]++
		}
		stop()
		<-done
		<-done
		require.Equal(t, [2]int{50, 50}, got)
	})
}

// A peer that does not receive gets what its queues hold; everything else goes
// to the others, which it does not slow.
func TestStoppedPeerSlowsNobody(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		for _, typ := range [][2]msgcore.Type{{msgcore.Push, msgcore.Pull}, {msgcore.Dealer, msgcore.Dealer}} {
			t.Run(typ[0].String(), func(t *testing.T) {
				src, peers := fanSockets(t, ep, typ[0], typ[1], &msgcore.Options{SendHWM: 3, RecvHWM: 3}, 3)
				stopped, others := peers[0], peers[1:]
				n := scaled(2000, 50000)
				ctx := ctx30(t)
				body := make([]byte, 8<<10) // the kernel's buffers hold fewer
				sent := make(chan error, 1)
				go func() {
					for range n {
						if err := src.Send(ctx, body); err != nil {
							sent <- err
							return
						}
					}
					sent <- nil
				}()
				got := make(chan int)
				rctx, stop := context.WithCancel(ctx)
				for _, o := range others {
					go func() {
						k := 0
						for m, err := range o.Messages(rctx) {
							if err != nil {
								break
							}
							m.Release()
							k++
							if k%16 == 0 {
								got <- 16
							}
						}
						got <- k % 16
					}()
				}
				// Send of the last one returned although stopped never received.
				total := 0
				for err := error(nil); ; {
					select {
					case k := <-got:
						total += k
						continue
					case err = <-sent:
					}
					require.NoError(t, err)
					break
				}
				// The rest is in stopped's queues, and what is on its way to the others.
				rest := 0
				for {
					m, ok, err := stopped.TryRecv()
					require.NoError(t, err)
					if !ok {
						if total+rest >= n-16*len(others) {
							break
						}
						select {
						case k := <-got:
							total += k
						case <-ctx.Done():
							t.Fatalf("%d and %d of %d messages arrived", total, rest, n)
						default:
						}
						continue
					}
					m.Release()
					rest++
				}
				stop()
				for ended := 0; ended < len(others); {
					if k := <-got; k < 16 {
						total += k
						ended++
					} else {
						total += k
					}
				}
				require.Less(t, rest, n/2, "a stopped peer got as much as the others")
				t.Logf("the stopped peer held %d of %d messages", rest, n)
			})
		}
	})
}

// A subscriber that does not receive loses messages, alone, and they are counted.
func TestStoppedSubscriberLosesAlone(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		pub := msgcore.NewPub(&msgcore.Options{SendHWM: 50})
		subs := []*msgcore.Socket{msgcore.NewSub(&msgcore.Options{RecvHWM: 50}), msgcore.NewSub(nil), msgcore.NewSub(nil)}
		bound, err := pub.Bind(ctx30(t), ep)
		require.NoError(t, err)
		t.Cleanup(func() { pub.Close() })
		for _, s := range subs {
			t.Cleanup(func() { s.Close() })
			require.NoError(t, s.Subscribe("t"))
			require.NoError(t, s.Connect(bound))
		}
		ctx := ctx30(t)
		require.NoError(t, pub.WaitSubscribers(ctx, len(subs)))
		n := scaled(3000, 30000)
		body := make([]byte, 4<<10)
		for i := range n {
			require.NoError(t, pub.Send(ctx, fmt.Append(nil, "t", i), body))
			if i%25 != 24 { // the others never fall behind by a mark
				continue
			}
			for _, s := range subs[1:] {
				for k := i - 24; k <= i; k++ {
					m, err := s.Recv(ctx)
					require.NoError(t, err)
					require.Equal(t, fmt.Sprint("t", k), string(m.Frames[0]))
					m.Release()
				}
			}
		}
		dropped := int(pub.Stats().DroppedFull)
		require.NotZero(t, dropped, "the stopped subscriber's queues held everything: the test is none")
		for k := range n - dropped { // without a hole before the mark of the sender, who need not wait for anybody
			m, err := subs[0].Recv(ctx)
			require.NoError(t, err)
			if k < 50 {
				require.Equal(t, fmt.Sprint("t", k), string(m.Frames[0]))
			}
			m.Release()
		}
		_, more, err := subs[0].TryRecv()
		require.NoError(t, err)
		require.False(t, more)
		require.EqualValues(t, dropped, pub.Stats().DroppedFull)
	})
}
