//go:build !race

package curve_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// Sending a message over a secured connection allocates nothing, and a large one no
// more than without: the queue holds its buffer in a list. The peer only reads.
func TestSendAllocations(t *testing.T) {
	for _, size := range []int{64, 1 << 10, 64 << 10} {
		n := sendAllocations(t, size)
		t.Logf("%d B: %.3f allocations", size, n)
		most := 0.1
		if size > 8<<10 {
			most = 1
		}
		require.Less(t, n, most, "%d B", size)
	}
}

// sendAllocations returns how many allocations each of many messages takes.
func sendAllocations(t *testing.T, size int) float64 {
	t.Helper()
	push := msgcore.NewPush(&msgcore.Options{Linger: msgcore.Discard, Mechanism: curve.Server(serverKey)})
	defer push.Close()
	ctx := context.Background()
	ep, err := push.Bind(ctx, "tcp://127.0.0.1:*")
	require.NoError(t, err)
	nc, err := net.Dial("tcp", strings.TrimPrefix(ep, "tcp://"))
	require.NoError(t, err)
	defer nc.Close()
	_, err = zmtp.Handshake(ctx, nc, &zmtp.Config{
		Mechanism:  curve.Client(clientKey, serverKey.Public()),
		Properties: zmtp.Properties{zmtp.SocketType: "PULL"},
	})
	require.NoError(t, err)
	require.NoError(t, push.WaitPeers(ctx, 1))
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, struct{ io.Reader }{nc})
	}()
	body := make([]byte, size)
	count := max(2000, 4<<20/size)
	send := func() {
		for range count {
			if err := push.Send(ctx, body); err != nil {
				t.Error(err)
			}
		}
	}
	send() // the pools are empty at first
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	send()
	runtime.ReadMemStats(&after)
	push.Close()
	<-read
	return float64(after.Mallocs-before.Mallocs) / float64(count)
}
