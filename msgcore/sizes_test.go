package msgcore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// edges are sizes around those at which a frame is written, carried or read in
// another way.
var edges = []int{0, 1, 254, 255, 256, 1023, 1024, 4096, 8183, 8191, 8192, 8193, 32 << 10, 32<<10 + 1, 64<<10 - 9, 64 << 10, 72 << 10, 100_000}

// edgeMessages has every size alone, behind a short frame, and between two of
// them, next to others; each tells its place.
func edgeMessages() (msgs [][][]byte) {
	for i, size := range edges {
		body := func(b byte) []byte { return bytes.Repeat([]byte{b}, size) }
		place := []byte(fmt.Sprint("t", i))
		msgs = append(msgs,
			[][]byte{append(place, body('a')...)},
			[][]byte{place, body('b')},
			[][]byte{place, body('c'), nil, body('d')},
			[][]byte{[]byte("t")},
		)
	}
	return msgs
}

// Whatever the sizes, messages arrive whole and in order, sent and received one by
// one or in batches.
func TestSizes(t *testing.T) {
	for _, c := range []struct{ from, to msgcore.Type }{
		{msgcore.Push, msgcore.Pull},
		{msgcore.Dealer, msgcore.Dealer},
		{msgcore.Pair, msgcore.Pair},
		{msgcore.Pub, msgcore.Sub},
		{msgcore.XPub, msgcore.XSub},
	} {
		t.Run(fmt.Sprint(c.from, " to ", c.to), func(t *testing.T) {
			schemes(t, func(t *testing.T, ep string) {
				opts := &msgcore.Options{}
				if c.from == msgcore.Pub || c.from == msgcore.XPub {
					opts.Pub.NoDrop = true
				}
				from, to := msgcore.New(c.from, opts), msgcore.New(c.to, nil)
				if c.to == msgcore.Sub || c.to == msgcore.XSub {
					require.NoError(t, to.Subscribe("t"))
				}
				pair(t, to, from, ep)
				require.NoError(t, from.WaitPeers(ctx30(t), 1))
				if opts.Pub.NoDrop {
					require.NoError(t, from.WaitSubscribers(ctx30(t), 1))
				}
				msgs := edgeMessages()
				const rounds = 6
				sent := make(chan error, 1)
				go func() {
					for round := range rounds {
						// What SendMsg has been given belongs to the receiver.
						if err := sendAll(ctx30(t), from, edgeMessages(), round%3); err != nil {
							sent <- err
							return
						}
					}
					sent <- nil
				}()
				var got []msgcore.Msg
				batch := make([]msgcore.Msg, 7)
				for i := 0; i < rounds*len(msgs); i++ {
					if len(got) == 0 {
						if i%2 == 0 {
							m, err := to.Recv(ctx30(t))
							require.NoError(t, err)
							got = append(got, m)
						} else {
							n, err := to.RecvBatch(ctx30(t), batch)
							require.NoError(t, err)
							got = append(got, batch[:n]...)
						}
					}
					want := msgs[i%len(msgs)]
					if len(got[0].Frames) != len(want) {
						t.Fatalf("message %d has %d frames, want %d", i, len(got[0].Frames), len(want))
					}
					for k := range want {
						if !bytes.Equal(want[k], got[0].Frames[k]) {
							t.Fatalf("message %d, frame %d: %d bytes that are not the %d that were sent", i, k, len(got[0].Frames[k]), len(want[k]))
						}
					}
					got[0].Release()
					got = got[1:]
				}
				require.NoError(t, <-sent)
			})
		})
	}
}

// sendAll sends msgs in one of three ways.
func sendAll(ctx context.Context, s *msgcore.Socket, msgs [][][]byte, way int) error {
	if way == 2 {
		var batch []msgcore.Msg
		for _, m := range msgs {
			batch = append(batch, msgcore.Msg{Frames: m})
		}
		n, err := s.SendBatch(ctx, batch)
		if err == nil && n != len(batch) {
			err = fmt.Errorf("SendBatch sent %d of %d", n, len(batch))
		}
		return err
	}
	for _, m := range msgs {
		var err error
		if way == 0 {
			err = s.Send(ctx, m...)
		} else {
			err = s.SendMsg(ctx, msgcore.Msg{Frames: m})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// MaxMessage is what a sender may send, to the byte, whichever way it goes.
func TestMaxMessageOfASender(t *testing.T) {
	for _, limit := range []int{1, 100, 255, 256, 8192, 20_000} {
		push := msgcore.NewPush(&msgcore.Options{MaxMessage: int64(limit), Linger: msgcore.Discard})
		pull := msgcore.NewPull(nil)
		pair(t, pull, push, "inproc://"+t.Name()+fmt.Sprint(limit))
		fits, over := make([]byte, limit), make([]byte, limit+1)
		for _, way := range []int{0, 1, 2} {
			require.NoError(t, sendAll(ctx30(t), push, [][][]byte{{fits}}, way))
			require.ErrorIs(t, sendAll(ctx30(t), push, [][][]byte{{over}}, way), msgcore.ErrMessageTooBig)
			require.ErrorIs(t, sendAll(ctx30(t), push, [][][]byte{{fits, {1}}}, way), msgcore.ErrMessageTooBig)
			m, err := pull.Recv(ctx30(t))
			require.NoError(t, err)
			require.Len(t, m.Bytes(), limit)
		}
		many := make([][]byte, 1001)
		err := push.Send(ctx30(t), many...)
		if limit < 32 { // what the 1001st frame counts
			require.ErrorIs(t, err, msgcore.ErrMessageTooBig)
		} else {
			require.NoError(t, err)
		}
		require.False(t, errors.Is(push.Send(ctx30(t)), msgcore.ErrMessageTooBig), "no frames at all")
	}
}
