package msgcore_test

import (
	"encoding/binary"
	"net"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A peer that claims a frame of 1 TB, and sends the beginning of it, costs less
// than 64 KiB. One that claims more than MaxMessage costs next to nothing, and is
// sent away.
func TestSimClaims(t *testing.T) {
	if msgcore.RaceEnabled {
		t.Skip("the race detector allocates, too")
	}
	const peers, tera = 50, 1 << 40
	for _, c := range []struct {
		name  string
		max   int64
		claim uint64
		most  uint64 // for each peer
		kept  bool   // the connection
	}{
		{"1 TB", 0, tera, 64 << 10, true},
		{"1 TB over MaxMessage", 1 << 20, tera, 16 << 10, false},
		{"a byte over MaxMessage", 1 << 20, 1<<20 + 1, 16 << 10, false},
		{"MaxMessage", 1 << 20, 1 << 20, 64 << 10, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulate(t, func(t *testing.T, n *sim) {
				pull, w := at(t, n.server, msgcore.Pull, msgcore.Options{MaxMessage: c.max})
				bindTo(t, pull, simBind)
				conns := make([]net.Conn, peers)
				for i := range conns {
					conns[i], _ = n.raw(t, "PUSH")
				}
				say := binary.BigEndian.AppendUint64([]byte{zmtp.FlagLong}, c.claim)
				say = append(say, "the beginning"...)
				synctest.Wait()
				cost := allocated(func() {
					for _, conn := range conns {
						_, err := conn.Write(say)
						require.NoError(t, err)
					}
					synctest.Wait()
				}) / peers
				t.Logf("%d bytes for each peer", cost)
				require.Less(t, cost, c.most)
				gone := w.kindsOf(msgcore.Disconnected)
				if c.kept {
					require.Empty(t, gone)
					return
				}
				require.Len(t, gone, peers)
				require.ErrorIs(t, gone[0].Err, msgcore.ErrMessageTooBig)
			})
		})
	}
}
