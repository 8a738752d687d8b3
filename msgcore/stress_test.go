package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// couples are types that talk to each other; each type is in one.
var couples = [][2]msgcore.Type{
	{msgcore.Push, msgcore.Pull},
	{msgcore.Pub, msgcore.Sub},
	{msgcore.XPub, msgcore.XSub},
	{msgcore.Req, msgcore.Rep},
	{msgcore.Dealer, msgcore.Router},
	{msgcore.Pair, msgcore.Pair},
	{msgcore.Server, msgcore.Client},
	{msgcore.Radio, msgcore.Dish},
	{msgcore.Scatter, msgcore.Gather},
	{msgcore.Peer, msgcore.Peer},
	{msgcore.Channel, msgcore.Channel},
}

// 16 goroutines do everything that there is to do on one socket, at once. Nothing
// but an OpError comes of it, and Close ends all of them.
func TestEverythingAtOnce(t *testing.T) {
	for _, scheme := range []string{"tcp://127.0.0.1:*", "inproc://*"} {
		t.Run(scheme[:3], func(t *testing.T) {
			for _, c := range couples {
				for _, swapped := range []bool{false, true} {
					if swapped {
						c[0], c[1] = c[1], c[0]
						if c[0] == c[1] {
							continue
						}
					}
					t.Run(fmt.Sprint(c[0], " bound"), func(t *testing.T) {
						t.Parallel()
						everythingAtOnce(t, scheme, c)
					})
				}
			}
		})
	}
}

func everythingAtOnce(t *testing.T, scheme string, c [2]msgcore.Type) {
	const goroutines = 16
	ops := scaled(60, 3000)
	o := &msgcore.Options{SendHWM: 3, RecvHWM: 3, Reconnect: msgcore.Reconnect{Interval: time.Millisecond}, Linger: msgcore.Discard}
	bound, connected := msgcore.New(c[0], o), msgcore.New(c[1], o)
	ep, err := bound.Bind(ctx30(t), scheme)
	require.NoError(t, err)
	require.NoError(t, connected.Connect(ep))
	require.NoError(t, bound.WaitPeers(ctx30(t), 1))
	var all sync.WaitGroup
	for i, s := range []*msgcore.Socket{bound, connected} {
		for g := range goroutines {
			all.Add(1)
			go func() {
				defer all.Done()
				r := rand.New(rand.NewPCG(uint64(i), uint64(g)))
				for range ops {
					ctx, cancel := briefly(r)
					err := anything(ctx, s, scheme, ep, r)
					cancel()
					var oe *msgcore.OpError
					if err != nil && !errors.As(err, &oe) {
						t.Errorf("%v: %T %v", s.Type(), err, err)
					}
				}
			}()
		}
	}
	all.Wait()
	// Now with all of them waiting for good, until Close.
	for _, s := range []*msgcore.Socket{bound, connected} {
		for g := range goroutines {
			all.Add(1)
			go func() {
				defer all.Done()
				ctx := context.Background()
				var err error
				for err == nil || errors.Is(err, msgcore.ErrState) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, msgcore.ErrUnroutable) {
					switch g % 4 {
					case 0:
						var m msgcore.Msg
						m, err = s.Recv(ctx)
						m.Release()
					case 1:
						err = s.Send(ctx, []byte("to"), []byte("nobody"))
					case 2:
						_, err = s.RecvBatch(ctx, make([]msgcore.Msg, 4))
					case 3:
						err = s.WaitPeers(ctx, 1000)
					}
					if errors.Is(err, errors.ErrUnsupported) {
						err = s.WaitPeers(ctx, 1000)
					}
					runtime.Gosched()
				}
			}()
		}
		for range 2 {
			all.Add(1)
			go func() {
				defer all.Done()
				_ = s.Close()
			}()
		}
	}
	all.Wait()
}

// anything makes one call.
func anything(ctx context.Context, s *msgcore.Socket, scheme, ep string, r *rand.Rand) error {
	frames := [][]byte{[]byte("id"), striped(bodySizes[r.IntN(8)], 1), []byte("x")}[:1+r.IntN(3)]
	switch r.IntN(24) {
	case 0:
		other, err := s.Bind(ctx, scheme)
		if err == nil {
			return s.Unbind(other)
		}
		return err
	case 1:
		if err := s.Connect(ep); err != nil {
			return err
		}
		return s.Disconnect(ep)
	case 2:
		if err := s.Subscribe("i"); err != nil {
			return err
		}
		return s.Unsubscribe("i")
	case 3:
		if err := s.Join("group"); err != nil {
			return err
		}
		return s.Leave("group")
	case 4:
		s.Stats()
		s.Pending()
		return s.WaitPeers(ctx, 1)
	case 5:
		m, err := s.Request(ctx, frames...)
		m.Release()
		return err
	case 6:
		_, err := s.TrySend(msgcore.Msg{Frames: frames})
		return err
	case 7:
		_, err := s.SendBatch(ctx, []msgcore.Msg{{Frames: frames}, {Frames: frames[:1]}})
		return err
	case 8:
		m, ok, err := s.TryRecv()
		if ok {
			return m.Clone().Reply(ctx, frames...)
		}
		return err
	case 9:
		batch := make([]msgcore.Msg, 5)
		n, err := s.RecvBatch(ctx, batch)
		msgcore.ReleaseBatch(batch[:n])
		return err
	case 10, 11, 12, 13, 14, 15:
		m, err := s.Recv(ctx)
		if err != nil {
			return err
		}
		switch r.IntN(4) {
		case 0:
			return s.SendMsg(ctx, m)
		case 1:
			m.Release()
		case 2:
			defer m.Release()
			return m.Reply(ctx, m.Frames...)
		}
		return nil
	default:
		return s.Send(ctx, frames...)
	}
}

// One that floods a PULL does not hold up twenty that send now and then. On
// inproc it can be counted: everybody's messages are there before the first is
// received.
func TestFairToSlowSenders(t *testing.T) {
	const slow, each = 20, 10
	pull := msgcore.NewPull(nil)
	defer pull.Close()
	ep, err := pull.Bind(ctx30(t), "inproc://*")
	require.NoError(t, err)
	ctx := ctx30(t)
	flood := msgcore.NewPush(nil)
	defer flood.Close()
	require.NoError(t, flood.Connect(ep))
	require.NoError(t, flood.WaitPeers(ctx, 1))
	flooded := 0
	for {
		ok, err := flood.TrySend(msgcore.Msg{Frames: [][]byte{[]byte("flood")}})
		require.NoError(t, err)
		if !ok {
			break
		}
		flooded++
	}
	require.Equal(t, 2000, flooded)
	for range slow {
		s := msgcore.NewPush(nil)
		defer s.Close()
		require.NoError(t, s.Connect(ep))
		require.NoError(t, s.WaitPeers(ctx, 1))
		for range each {
			require.NoError(t, s.Send(ctx, []byte("slow")))
		}
	}
	behind := 0 // messages of the flood that came before the last slow one
	for left := slow * each; left > 0; {
		m, err := pull.Recv(ctx)
		require.NoError(t, err)
		if string(m.Bytes()) == "slow" {
			left--
		} else {
			behind++
		}
		m.Release()
	}
	// A turn is at most 32 messages, and each of the slow ones needs one turn, or
	// ten of one message.
	require.LessOrEqual(t, behind, 64)
}

// The same with connections, while the flood goes on: each slow sender waits for
// every message of its own to arrive.
func TestFairWhileFlooded(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		const slow, each = 20, 20
		ctx := ctx30(t)
		pull := msgcore.NewPull(nil)
		bound, err := pull.Bind(ctx, ep)
		require.NoError(t, err)
		defer pull.Close()
		fctx, stop := context.WithCancel(ctx)
		var senders sync.WaitGroup
		defer senders.Wait()
		defer stop()
		flood := msgcore.NewPush(&msgcore.Options{Linger: msgcore.Discard})
		defer flood.Close()
		require.NoError(t, flood.Connect(bound))
		senders.Add(1)
		go func() {
			defer senders.Done()
			for flood.Send(fctx, []byte{0xFF}, make([]byte, 60)) == nil {
			}
		}()
		var arrived [slow]chan struct{}
		for i := range arrived {
			arrived[i] = make(chan struct{}, each)
			s := msgcore.NewPush(nil)
			defer s.Close()
			require.NoError(t, s.Connect(bound))
			senders.Add(1)
			go func() {
				defer senders.Done()
				for range each {
					if s.Send(fctx, []byte{byte(i)}) != nil {
						return
					}
					select {
					case <-arrived[i]:
					case <-fctx.Done():
						return
					}
				}
			}()
		}
		var got [slow]int
		for left := slow * each; left > 0; {
			m, err := pull.Recv(ctx)
			require.NoError(t, err, "%v", got)
			if i := m.Frames[0][0]; i != 0xFF {
				got[i]++
				left--
				arrived[i] <- struct{}{}
			}
			m.Release()
		}
		for _, n := range got {
			require.Equal(t, each, n)
		}
	})
}

// A hundred connections to one socket: everything arrives, from everybody, and
// every answer finds its way.
func TestHundredConnections(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		const peers = 100
		each := scaled(20, 1000)
		ctx := ctx30(t)
		router := msgcore.NewRouter(nil)
		bound, err := router.Bind(ctx, ep)
		require.NoError(t, err)
		defer router.Close()
		served := make(chan error, 1)
		sctx, stop := context.WithCancel(ctx)
		go func() {
			for m, err := range router.Messages(sctx) {
				if err == nil {
					err = router.SendMsg(sctx, m)
				}
				if err != nil {
					served <- err
					return
				}
			}
		}()
		var all sync.WaitGroup
		for p := range peers {
			d := msgcore.NewDealer(nil)
			defer d.Close()
			require.NoError(t, d.Connect(bound))
			all.Add(1)
			go func() {
				defer all.Done()
				for i := range each {
					if err := d.Send(ctx, fmt.Append(nil, p), fmt.Append(nil, i)); err != nil {
						t.Error(err)
						return
					}
				}
				for i := range each {
					m, err := d.Recv(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					if string(m.Frames[0]) != fmt.Sprint(p) || string(m.Frames[1]) != fmt.Sprint(i) {
						t.Errorf("peer %d got %q instead of its answer %d", p, m.Frames, i)
					}
					m.Release()
				}
			}()
		}
		all.Wait()
		stop()
		require.ErrorIs(t, <-served, context.Canceled)
		require.Zero(t, router.Stats().DroppedFull+router.Stats().DroppedUnroutable)
	})
}

// Peers come and go while others send. Nothing arrives twice, nothing hangs, and
// in the end neither goroutines nor memory are left.
func TestChurn(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		goroutines := runtime.NumGoroutine()
		churn(t, ep, scaled(20, 100)) // what is allocated once is allocated
		before := liveHeap()
		churn(t, ep, scaled(60, 2000))
		until(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= goroutines })
		until(t, "memory is left", func() bool { return liveHeap() < before+2<<20 })
	})
}

// until waits for ok to hold. It is no goroutine of its own, unlike
// require.Eventually.
func until(t *testing.T, otherwise string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := ctx30(t); !ok(); {
		select {
		case <-tick.C:
		case <-end.Done():
			t.Fatal(otherwise)
		}
	}
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // and what pools hold for one more cycle
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func churn(t *testing.T, ep string, rounds int) {
	o := msgcore.Options{SendHWM: 10, Linger: msgcore.Discard, Reconnect: msgcore.Reconnect{Interval: time.Millisecond}}
	dealer := msgcore.NewDealer(&o)
	defer dealer.Close()
	bound, err := dealer.Bind(ctx30(t), ep)
	require.NoError(t, err)
	steady := msgcore.NewDealer(&o) // always there
	defer steady.Close()
	require.NoError(t, steady.Connect(bound))

	var seen sync.Map
	var twice atomic.Int64
	arrive := func(m msgcore.Msg) {
		if _, old := seen.LoadOrStore(string(m.Frames[0]), true); old {
			twice.Add(1)
		}
		m.Release()
	}
	sctx, stop := context.WithCancel(context.Background())
	defer stop()
	var all sync.WaitGroup
	for g := range 2 {
		all.Add(2)
		go func() {
			defer all.Done()
			for i := 0; ; i++ {
				if err := dealer.Send(sctx, fmt.Append(nil, g, " ", i), striped(i%3000, byte(i))); err != nil {
					if !ends(err) {
						t.Error(err)
					}
					return
				}
			}
		}()
		go func() {
			defer all.Done()
			for m, err := range steady.Messages(sctx) {
				if err != nil {
					return
				}
				arrive(m)
			}
		}()
	}
	r := rand.New(rand.NewPCG(9, 10))
	for i := range rounds {
		d := msgcore.NewDealer(&o)
		require.NoError(t, d.Connect(bound))
		for range r.IntN(20) {
			soon, done := context.WithTimeout(sctx, patience) // for each: a connection takes a second on a busy machine
			m, err := d.Recv(soon)
			done()
			require.NoError(t, err)
			arrive(m)
		}
		if i%3 == 0 {
			require.NoError(t, d.Disconnect(bound))
			if i%2 == 0 {
				require.NoError(t, d.Connect(bound))
			}
		}
		require.NoError(t, d.Close())
	}
	stop()
	all.Wait()
	require.Zero(t, twice.Load())
}

// A connection whose messages nobody receives can be given up.
func TestDisconnectWhileParked(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		push, pull := msgcore.NewPush(&msgcore.Options{Linger: msgcore.Discard}), msgcore.NewPull(&msgcore.Options{RecvHWM: 1})
		defer push.Close()
		defer pull.Close()
		bound, err := push.Bind(ctx30(t), ep)
		require.NoError(t, err)
		require.NoError(t, pull.Connect(bound))
		require.NoError(t, push.WaitPeers(ctx30(t), 1))
		fill(t, push, newNumbered(16<<10), 0)
		require.NoError(t, pull.Disconnect(bound))
	})
}
