//go:build unix && !aix && !solaris

package unique_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// To listen anew, after the socket file was removed, may take as long as somebody else
// keeps the directory locked. Those who are connected notice nothing.
func TestRebindHoldsNobodyUp(t *testing.T) {
	t.Cleanup(unique.TendNothing()) // but us
	app := primary(t, uniquetest.Options(t), func(context.Context, *unique.Invocation) int { return 0 })
	p := dialRaw(t, app)
	require.NoError(t, p.shakeHands("DEALER"))
	path := strings.TrimPrefix(app.Holder().Endpoint, "ipc://")
	dir, err := os.Open(filepath.Dir(path))
	require.NoError(t, err)
	require.NoError(t, unix.Flock(int(dir.Fd()), unix.LOCK_EX))
	require.NoError(t, os.Remove(path))
	mended := make(chan error, 1)
	go func() { mended <- app.MendAll() }()
	hello := &unique.Message{Kind: unique.KindHello, MinVersion: 1, MaxVersion: 1}
	for range 100 {
		p.say(hello)
		p.hear(unique.KindWelcome)
	}
	require.NoError(t, dir.Close())
	require.NoError(t, <-mended)
	require.NoError(t, dialRaw(t, app).shakeHands("DEALER"))
}

// A socket that a service manager holds is not ours to make again: that its file is gone
// keeps us neither busy nor alive.
func TestPassedSocketIsLeftAlone(t *testing.T) {
	t.Cleanup(unique.TendNothing()) // but us
	opts := uniquetest.Options(t)
	path := filepath.Join(opts.Dir, "passed")
	var err error
	opts.Listener, err = net.Listen("unix", path)
	require.NoError(t, err)
	app := primary(t, opts, func(context.Context, *unique.Invocation) int { return 0 })
	require.NoError(t, os.Remove(path))
	before := app.Stats().Republished
	for range 3 {
		require.NoError(t, app.MendAll())
	}
	require.LessOrEqual(t, app.Stats().Republished, before+1)
}
