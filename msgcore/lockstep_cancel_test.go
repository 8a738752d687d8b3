package msgcore_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// A Recv that reads the connection itself ends with its context wherever in a
// message that happens, and the next one goes on there.
func TestLockstepCancelWithinAMessage(t *testing.T) {
	t.Run("sleeping", func(t *testing.T) { lockstepCancelWithinAMessage(t, nil) })
	t.Run("spinning", func(t *testing.T) {
		lockstepCancelWithinAMessage(t, &msgcore.Options{Spin: 10 * time.Millisecond})
	})
}

func lockstepCancelWithinAMessage(t *testing.T, opts *msgcore.Options) {
	rep := open(t, msgcore.Rep, opts)
	p := rawHandshake(t, bindTo(t, rep, anyPort), "REQ")
	require.NoError(t, rep.WaitPeers(limited(t), 1))
	ask := func(body []byte, cuts ...int) {
		t.Helper()
		b := after(frame(1, nil), frame(1, []byte("head")), frame(0, body))
		at := 0
		for _, cut := range append(cuts, len(b)) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			var m msgcore.Msg
			go func() {
				var err error
				m, err = rep.Recv(ctx)
				ended <- err
			}()
			p.send(t, b[at:cut]...)
			at = cut
			if cut < len(b) {
				select { // most often it has begun to read by then
				case err := <-ended:
					require.NoError(t, err)
				case <-time.After(time.Millisecond):
				}
				cancel()
				require.ErrorIs(t, <-ended, context.Canceled)
				continue
			}
			require.NoError(t, <-ended)
			cancel()
			require.Len(t, m.Frames, 2)
			require.True(t, bytes.Equal(body, m.Frames[1]))
			require.NoError(t, rep.Send(t.Context(), []byte("answer")))
			p.readFrame(t)
			require.Equal(t, "answer", string(p.readFrame(t).Body))
		}
	}
	small := []byte("some request")
	for cut := 1; cut < 22; cut++ {
		ask(small, cut)
		ask(small)
	}
	large := bytes.Repeat([]byte("large"), 100<<10)
	ask(large)
	ask(large, 5, 15, 17, 4096, 100000, 300000)
	ask(large, 100000)
	ask(small, 3, 9)
}
