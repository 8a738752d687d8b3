package simnet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/simnet"
	"github.com/solomq/solomq/transport/transporttest"
)

func TestConformance(t *testing.T) {
	for _, c := range []struct {
		scheme, addr string
		delay        time.Duration
	}{
		{"tcp", "*:*", 0},
		{"tcp", "localhost:0", time.Millisecond},
		{"quic", "[::1]:*", 0},
		{"ipc", "*", 0},
	} {
		t.Run(c.scheme+" "+c.addr, func(t *testing.T) {
			h := simnet.New().Host("host")
			h.Link(h).SetDelay(c.delay)
			tr, ok := h.Lookup(c.scheme)
			require.True(t, ok)
			transporttest.Run(t, tr, func(testing.TB) string { return c.addr })
		})
	}
}
