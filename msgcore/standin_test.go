package msgcore_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// However somebody receives, and whoever reads: what peers have sent comes, each
// peer's messages in their order, also of peers that are gone by then.
func TestReceiveHoweverOneLikes(t *testing.T) {
	for _, c := range []struct{ hwm, peers, receivers int }{{1, 1, 1}, {10, 1, 1}, {1000, 1, 1}, {10, 2, 1}, {100, 1, 3}, {30, 3, 2}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			ctx := ctx30(t)
			pull := open(t, msgcore.Pull, &msgcore.Options{RecvHWM: c.hwm})
			endpoint := bindTo(t, pull, anyPort)
			each := sized(5000, 50_000)
			var senders, receivers sync.WaitGroup
			for id := range c.peers {
				senders.Go(func() { sendInOrder(ctx, t, endpoint, id, each) })
			}
			until, all := context.WithCancel(ctx)
			h := &heard{pull: pull, inTurn: c.receivers == 1, all: all, next: make([]int, c.peers), left: c.peers * each}
			for i := range c.receivers {
				receivers.Go(func() { h.receive(until, t, rand.New(rand.NewPCG(uint64(i), 1))) })
			}
			receivers.Wait()
			senders.Wait()
			require.Zero(t, h.left)
			require.Zero(t, pull.Stats().DropStats)
		})
	}
}

// sendInOrder sends n messages, a few of them with frames too large for a slab.
func sendInOrder(ctx context.Context, t *testing.T, endpoint string, id, n int) {
	push := msgcore.NewPush(&msgcore.Options{Linger: patience})
	if err := push.Connect(endpoint); err != nil {
		t.Error(err)
	}
	large := make([]byte, 100_000)
	for i := range n {
		number := binary.BigEndian.AppendUint32([]byte{byte(id)}, uint32(i))
		frames := [][]byte{number}
		switch {
		case i%997 == 0:
			frames = append(frames, large)
		case i%5 == 0:
			frames = append(frames, number, large[:i%700])
		}
		if err := push.Send(ctx, frames...); err != nil {
			t.Error(err)
			break
		}
	}
	if err := push.Close(); err != nil {
		t.Error(err)
	}
}

// A heard is what receivers have heard of peers.
type heard struct {
	pull   *msgcore.Socket
	inTurn bool // there is one receiver alone, so that the order shows
	all    context.CancelFunc

	mu   sync.Mutex
	next []int
	left int
}

// note notes what was received; with the last message it ends the receivers' context.
func (h *heard) note(t *testing.T, msgs ...msgcore.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range msgs {
		id, i := m.Frames[0][0], int(binary.BigEndian.Uint32(m.Frames[0][1:]))
		if h.inTurn && i != h.next[id] {
			t.Errorf("of peer %d came %d and not %d", id, i, h.next[id])
		}
		h.next[id]++
		h.left--
	}
	msgcore.ReleaseBatch(msgs)
	if h.left == 0 {
		h.all()
	}
}

// receive receives in all the ways that there are, until ctx ends.
func (h *heard) receive(ctx context.Context, t *testing.T, rnd *rand.Rand) {
	var poller msgcore.Poller
	poller.Add(h.pull, msgcore.PollIn)
	batch := make([]msgcore.Msg, 50)
	for ctx.Err() == nil {
		var err error
		switch n := 1 + rnd.IntN(200); rnd.IntN(4) {
		case 0:
			for ok := true; ok && err == nil && n > 0; n-- {
				var m msgcore.Msg
				if m, ok, err = h.pull.TryRecv(); ok {
					h.note(t, m)
				}
			}
		case 1:
			for ; err == nil && n > 0; n-- {
				var m msgcore.Msg
				if m, err = h.pull.Recv(ctx); err == nil {
					h.note(t, m)
				}
			}
		case 2:
			if n, err = h.pull.RecvBatch(ctx, batch[:1+rnd.IntN(len(batch))]); err == nil {
				h.note(t, batch[:n]...)
			}
		default:
			_, err = poller.Wait(ctx, nil)
		}
		if err != nil && ctx.Err() == nil {
			t.Error(err)
			return
		}
	}
}

// A publisher hands over what it reads in many pieces, which only its application makes
// room for: that one must not wait for room itself.
func TestPublisherStandsInForNobody(t *testing.T) {
	ctx := ctx30(t)
	xpub := open(t, msgcore.XPub, &msgcore.Options{RecvBytes: 4 << 10})
	conn, _ := dialRaw(t, bindTo(t, xpub, anyPort), "XSUB")
	const n, size = 20_000, 100
	message := append([]byte{0, size}, bytes.Repeat([]byte{'m'}, size)...)
	go conn.Write(bytes.Repeat(message, n))
	for range n {
		m, err := xpub.Recv(ctx)
		require.NoError(t, err)
		m.Release()
	}
}

// Who receives hears of the end of the context also while a peer sends and sends what is
// for nobody.
func TestReceiverHearsOfItsContext(t *testing.T) {
	sub := open(t, msgcore.Sub, nil)
	require.NoError(t, sub.Subscribe("x"))
	conn, _ := dialRaw(t, bindTo(t, sub, anyPort), "PUB")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		flood := bytes.Repeat([]byte{0, 1, 'y'}, 90_000)
		for end := time.Now().Add(patience); time.Now().Before(end); {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := conn.Write(flood); err != nil {
				return
			}
		}
	}()
	batch := make([]msgcore.Msg, 10)
	for i := range 10 {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		var err error
		if i%2 == 0 {
			_, err = sub.Recv(ctx)
		} else {
			_, err = sub.RecvBatch(ctx, batch)
		}
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		select {
		case <-stopped:
			require.FailNow(t, "it has heard of it only when nothing was sent any more")
		default:
		}
	}
	close(stop)
	conn.Close() // nobody takes what it writes any more
	<-stopped
}
