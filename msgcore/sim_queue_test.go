package msgcore_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// Into a partition no more goes than the marks allow; behind it everything
// arrives, once and in order.
func TestSimHWMWhilePartitioned(t *testing.T) {
	const mark, buffer = 10, 100
	simulate(t, func(t *testing.T, n *sim) {
		pull, push := n.pair(t, msgcore.Pull, msgcore.Push, msgcore.Options{RecvHWM: mark}, msgcore.Options{SendHWM: mark})
		n.link.SetBuffer(buffer)
		n.link.Cut()
		sent := 0
		for {
			synctest.Wait()
			ok, err := push.TrySend(msgcore.Msg{Frames: [][]byte{fmt.Appendf(nil, "%08d", sent)}}) // 10 bytes with its header
			require.NoError(t, err)
			if !ok {
				break
			}
			sent++
		}
		require.Equal(t, mark+buffer/10, sent)
		takes(t, time.Minute, func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.ErrorIs(t, push.Send(ctx, []byte("more")), context.DeadlineExceeded)
		})
		n.link.Mend()
		for i := range sent {
			require.Equal(t, []string{fmt.Sprintf("%08d", i)}, recvNow(t, pull))
		}
	})
}

// Close into a partition gives up after Linger, exactly, and says what it could
// not send. What was written before is not among it.
func TestSimLinger(t *testing.T) {
	for _, c := range []struct {
		linger, want time.Duration
	}{
		{0, time.Second}, {7 * time.Second, 7 * time.Second}, {msgcore.Discard, 0},
	} {
		simulate(t, func(t *testing.T, n *sim) {
			pull, push := n.pair(t, msgcore.Pull, msgcore.Push, msgcore.Options{}, msgcore.Options{Linger: c.linger})
			sendTexts(t, push, "there")
			require.Equal(t, []string{"there"}, recvTexts(t, pull))
			n.link.SetBuffer(1)
			n.link.Cut()
			for range 3 {
				sendTexts(t, push, "not there")
			}
			synctest.Wait()
			began := time.Now()
			err := push.Close()
			require.InDelta(t, c.want, time.Since(began), float64(100*time.Millisecond))
			if c.linger == msgcore.Discard {
				require.NoError(t, err)
				return
			}
			var unsent *msgcore.UnsentError
			require.ErrorAs(t, err, &unsent)
			require.Len(t, unsent.Pending, 1)
			require.Equal(t, 3, unsent.Pending[0].Messages)
		})
	}
}

// While bytes still move Close waits, far longer than Linger, and all arrives.
func TestSimLingerWhileBytesCrawl(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		pull, push := n.pair(t, msgcore.Pull, msgcore.Push, msgcore.Options{}, msgcore.Options{})
		n.link.SetBandwidth(100 << 10)
		const messages, size = 20, 100 << 10
		for range messages {
			require.NoError(t, push.Send(t.Context(), make([]byte, size)))
		}
		closed := make(chan error, 1)
		began := time.Now()
		go func() { closed <- push.Close() }()
		for range messages {
			m, err := pull.Recv(t.Context())
			require.NoError(t, err)
			require.Len(t, m.Bytes(), size)
		}
		require.NoError(t, <-closed)
		require.InDelta(t, 20, time.Since(began).Seconds(), 1)
	})
}
