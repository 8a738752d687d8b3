package unique_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// A handler that locks its thread, because it changes it, and leaves it locked, has it end
// with its goroutine: nothing else ever runs there.
func TestHandlerKeepsItsThread(t *testing.T) {
	app := primary(t, uniquetest.Options(t), func(_ context.Context, inv *unique.Invocation) int {
		if inv.Args[0] == "lock" {
			runtime.LockOSThread()
		}
		inv.Reply = [][]byte{strconv.AppendInt(nil, int64(unix.Gettid()), 10)}
		return 0
	})
	p := dialRaw(t, app)
	require.NoError(t, p.shakeHands("DEALER"))
	thread := func(what string) string {
		p.call(&unique.Message{Args: []string{what}})
		m := p.hear(unique.KindExit)
		return string(m.Payload[0])
	}
	for range 5 {
		locked := thread("lock")
		for range 20 {
			require.NotEqual(t, locked, thread("none"))
		}
	}
}
