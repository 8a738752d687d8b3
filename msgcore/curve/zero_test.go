//go:build !race

// The race detector does not see that the collector runs before what it calls.

package curve_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// The keys of a session do not outlive it.
func TestSessionKeysAreZeroed(t *testing.T) {
	client, server := sessions()
	sealed(t, client, zmtp.Frame{})
	zeroed := curve.KeysOf(client)
	runtime.GC()
	require.False(t, zeroed())
	runtime.KeepAlive(client)
	require.Eventually(t, func() bool {
		runtime.GC()
		return zeroed()
	}, patience, time.Millisecond)
	require.False(t, curve.KeysOf(server)())
	runtime.KeepAlive(server)
}
