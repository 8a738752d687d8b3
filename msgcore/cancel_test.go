package msgcore_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// ends is what a call may end with whose context or socket did.
func ends(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed)
}

// briefly returns a context that ends soon, or is over already, by itself or by
// a cancel from elsewhere.
func briefly(r *rand.Rand) (context.Context, context.CancelFunc) {
	switch r.IntN(8) {
	case 0:
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx, cancel
	case 1:
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		return ctx, cancel
	}
	return context.WithTimeout(context.Background(), time.Duration(r.IntN(int(300*time.Microsecond))))
}

// A tally notes which messages were sent for sure, and which arrived.
type tally struct {
	mu      sync.Mutex
	sent    map[uint64]bool
	arrived map[uint64]int
	bad     string
}

func newTally() *tally { return &tally{sent: map[uint64]bool{}, arrived: map[uint64]int{}} }

func (a *tally) send(id uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent[id] = true
}

// body is what the message with this id looks like; it depends on nothing else.
func (*tally) frames(id uint64) [][]byte {
	n := int(id * 2654435761 % 301)
	if id%61 == 0 {
		n = 9000
	}
	return [][]byte{binary.BigEndian.AppendUint64(nil, id), striped(n, byte(id))}
}

func (a *tally) arrive(m msgcore.Msg) {
	id := binary.BigEndian.Uint64(m.Frames[0])
	want := a.frames(id)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.arrived[id]++
	if len(m.Frames) != 2 || string(m.Frames[1]) != string(want[1]) {
		a.bad = fmt.Sprintf("message %d is not as it was sent", id)
	}
}

func (a *tally) missing() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.sent {
		if a.arrived[id] == 0 {
			n++
		}
	}
	return n
}

// check compares: a Send that succeeded is one message, one that did not is none.
func (a *tally) check(t *testing.T) {
	t.Helper()
	require.Empty(t, a.bad)
	for id := range a.sent {
		require.Equal(t, 1, a.arrived[id], "message %d", id)
	}
	require.Equal(t, len(a.sent), len(a.arrived), "messages arrived whose Send failed")
}

// Senders and receivers whose contexts end at random lose nothing and double
// nothing: what Send said is sent arrives once, what it said is not does not.
func TestCancelSendRecv(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		for _, types := range [][2]msgcore.Type{{msgcore.Push, msgcore.Pull}, {msgcore.Dealer, msgcore.Dealer}, {msgcore.Pair, msgcore.Pair}} {
			t.Run(types[0].String(), func(t *testing.T) {
				from := msgcore.New(types[0], &msgcore.Options{SendHWM: 5})
				to := msgcore.New(types[1], &msgcore.Options{RecvHWM: 5})
				pair(t, to, from, ep)
				cancelSendRecv(t, from, to)
			})
		}
	})
}

func cancelSendRecv(t *testing.T, from, to *msgcore.Socket) {
	const senders, receivers = 4, 3
	each := scaled(3000, 300_000) / 3 / senders // three pairs of types
	all := newTally()
	var send, recv sync.WaitGroup
	var cancelled, empty atomic.Int64 // calls of Send and of Recv
	for s := range senders {
		send.Add(1)
		go func() {
			defer send.Done()
			r := rand.New(rand.NewPCG(1, uint64(s)))
			for i := 0; i < each; {
				id := uint64(s)<<32 | uint64(i)
				ctx, cancel := briefly(r)
				var err error
				switch r.IntN(4) {
				case 0:
					msgs := make([]msgcore.Msg, 1+r.IntN(7))
					for j := range msgs {
						msgs[j].Frames = all.frames(id + uint64(j))
					}
					var n int
					n, err = from.SendBatch(ctx, msgs)
					for j := range n {
						all.send(id + uint64(j))
					}
					i += len(msgs) // those that were not sent are never sent
				case 1:
					if err = from.SendMsg(ctx, msgcore.Msg{Frames: all.frames(id)}); err == nil {
						all.send(id)
					}
					i++
				default:
					if err = from.Send(ctx, all.frames(id)...); err == nil {
						all.send(id)
					}
					i++
				}
				cancel()
				if err != nil {
					cancelled.Add(1)
					if !ends(err) {
						t.Error(err)
					}
				}
			}
		}()
	}
	stop := make(chan struct{})
	for c := range receivers {
		recv.Add(1)
		go func() {
			defer recv.Done()
			r := rand.New(rand.NewPCG(2, uint64(c)))
			batch := make([]msgcore.Msg, 6)
			for {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := briefly(r)
				var err error
				if r.IntN(3) == 0 {
					var n int
					n, err = to.RecvBatch(ctx, batch)
					for _, m := range batch[:n] {
						all.arrive(m)
					}
					msgcore.ReleaseBatch(batch[:n])
				} else {
					var m msgcore.Msg
					if m, err = to.Recv(ctx); err == nil {
						all.arrive(m)
						if r.IntN(2) == 0 {
							m.Release()
						}
					}
				}
				cancel()
				if err != nil {
					empty.Add(1)
					if !ends(err) {
						t.Error(err)
					}
				}
			}
		}()
	}
	send.Wait()
	require.Eventually(t, func() bool { return all.missing() == 0 }, 30*time.Second, time.Millisecond)
	close(stop)
	recv.Wait()
	for { // what should not be there
		m, ok, err := to.TryRecv()
		require.NoError(t, err)
		if !ok {
			break
		}
		all.arrive(m)
	}
	all.check(t)
	t.Logf("%d messages; %d cancelled sends, %d cancelled receives", len(all.sent), cancelled.Load(), empty.Load())
	require.NotZero(t, cancelled.Load(), "no Send was cancelled: the test is none")
	require.NotZero(t, empty.Load(), "no Recv was cancelled: the test is none")
}

// A Request that is given up takes no other's reply with it, and the REP and the
// socket go on.
func TestCancelRequest(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		for _, typ := range []msgcore.Type{msgcore.Req, msgcore.Dealer} {
			t.Run(typ.String(), func(t *testing.T) {
				rep, req := msgcore.NewRep(nil), msgcore.New(typ, &msgcore.Options{SendHWM: 20})
				pair(t, rep, req, ep)
				ctx := ctx30(t)
				var served sync.WaitGroup
				defer served.Wait()
				defer rep.Close()
				for range 2 {
					served.Add(1)
					go func() {
						defer served.Done()
						for m, err := range rep.Messages(ctx) {
							if err != nil {
								return
							}
							err = m.Reply(ctx, m.Frames...)
							m.Release()
							if err != nil && !ends(err) {
								t.Error(err)
							}
						}
					}()
				}
				var callers sync.WaitGroup
				var given atomic.Int64
				for c := range 8 {
					callers.Add(1)
					go func() {
						defer callers.Done()
						r := rand.New(rand.NewPCG(3, uint64(c)))
						for i := range scaled(200, 4000) {
							want := fmt.Sprint(c, " ", i)
							cctx, cancel := ctx, context.CancelFunc(func() {})
							if i%4 != 0 {
								cctx, cancel = briefly(r)
							}
							m, err := req.Request(cctx, []byte(want))
							cancel()
							switch {
							case err == nil && string(m.Bytes()) != want:
								t.Errorf("%q got the reply %q", want, m.Bytes())
							case err == nil:
								m.Release()
							case !ends(err) || ctx.Err() != nil:
								t.Error(err)
							default:
								given.Add(1)
							}
						}
					}()
				}
				if typ == msgcore.Dealer { // late replies are ordinary messages to it
					drained := make(chan struct{})
					dctx, stop := context.WithCancel(ctx)
					go func() {
						defer close(drained)
						for m, err := range req.Messages(dctx) {
							if err == nil {
								m.Release()
							}
						}
					}()
					defer func() { stop(); <-drained }()
				}
				callers.Wait()
				require.NotZero(t, given.Load())
				m, err := req.Request(ctx, []byte("last"))
				require.NoError(t, err)
				require.Equal(t, "last", string(m.Bytes()))
			})
		}
	})
}

// The lockstep of a REQ goes on beside its Requests, whoever of them comes upon
// the reply.
func TestRequestBesideLockstep(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		router, req := msgcore.NewRouter(nil), msgcore.NewReq(nil)
		pair(t, router, req, ep)
		for range 50 {
			require.NoError(t, req.Send(ctx, []byte("lockstep")))
			got := make(chan string, 1)
			go func() {
				m, err := req.Request(ctx, []byte("request"))
				if err != nil {
					got <- err.Error()
					return
				}
				got <- string(m.Bytes())
			}()
			var asked [2]msgcore.Msg
			for range asked {
				m, err := router.Recv(ctx)
				require.NoError(t, err)
				if string(m.Frames[len(m.Frames)-1]) == "lockstep" {
					asked[0] = m
				} else {
					asked[1] = m
				}
			}
			for i, m := range asked { // the lockstep's first, which the Request comes upon
				require.NoError(t, m.Reply(ctx, fmt.Append(nil, "reply ", i)))
			}
			require.Equal(t, "reply 1", <-got)
			require.ErrorIs(t, req.Send(ctx, []byte("too early")), msgcore.ErrState)
			m, err := req.Recv(ctx)
			require.NoError(t, err)
			require.Equal(t, "reply 0", string(m.Bytes()))
			_, err = req.Recv(ctx)
			require.ErrorIs(t, err, msgcore.ErrState)
		}
	})
}

// A cancelled context harms nothing, and a message that is there, or room, comes
// before it.
func TestCancelledBefore(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		pull, push := msgcore.NewPull(nil), msgcore.NewPush(nil)
		pair(t, pull, push, ep)
		_, err := pull.Recv(over)
		require.ErrorIs(t, err, context.Canceled)
		_, err = pull.RecvBatch(over, make([]msgcore.Msg, 3))
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, push.Send(over, []byte("there is room")))
		m, err := pull.Recv(ctx30(t))
		require.NoError(t, err)
		require.Equal(t, "there is room", string(m.Bytes()))
	})
}

// Every waiter is woken when there is something for it: a wake-up that a
// cancelled one did not need goes to the next.
func TestWakeUpsArePassedOn(t *testing.T) {
	push, pull := msgcore.NewPush(nil), msgcore.NewPull(nil)
	pair(t, pull, push, "inproc://"+t.Name())
	ctx := ctx30(t)
	for i := range scaled(2000, 20000) {
		first, cancel := context.WithCancel(ctx)
		got := make(chan bool, 2)
		for _, c := range []context.Context{first, ctx} {
			go func() {
				m, err := pull.Recv(c)
				if err == nil {
					m.Release()
				}
				got <- err == nil
			}()
		}
		go cancel()
		require.NoError(t, push.Send(ctx, []byte{byte(i)}))
		if a := <-got; !a { // the cancelled one: the message is the other's
			require.True(t, <-got)
			continue
		}
		// One has it. The other was cancelled, or waits for one more.
		require.NoError(t, push.Send(ctx, []byte{byte(i)}))
		if b := <-got; !b {
			_, err := pull.Recv(ctx)
			require.NoError(t, err)
		}
	}
}
