package mcast

import (
	"bytes"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func openLocal(t *testing.T, joined bool) *Conn {
	c, err := Open(t.Context(), Config{At: netip.MustParseAddrPort("127.0.0.1:0"), Joined: joined})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	return c
}

// Packets that are sent as one come apart, for those who ask for them together and
// for those who do not.
func TestTogether(t *testing.T) {
	from := openLocal(t, false)
	if runtime.GOOS == "linux" {
		require.Equal(t, 45, from.Together(1452))
		require.Equal(t, 64, from.Together(10))
	}
	require.Equal(t, 1, from.Together(0))
	require.Equal(t, 1, from.Together(40_000))
	for _, joined := range []bool{false, true} {
		to := openLocal(t, joined)
		var sent [][]byte
		size := 1000
		for i := range min(5, from.Together(size)) {
			if i == 4 {
				size = 300
			}
			sent = append(sent, bytes.Repeat([]byte{byte(i)}, size))
		}
		out := Message{Buffers: sent, Addr: to.LocalAddr()}
		from.Join(&out)
		n, err := from.WriteBatch([]Message{out})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		var got [][]byte
		in := []Message{{Buffers: [][]byte{make([]byte, 64<<10)}, OOB: make([]byte, ControlSize)}}
		for len(got) < len(sent) {
			n, err := to.ReadBatch(in)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			size := to.Split(&in[0])
			for b := in[0].Buffers[0][:in[0].N]; len(b) > 0; {
				p := b[:min(size, len(b))]
				got = append(got, bytes.Clone(p))
				b = b[len(p):]
			}
		}
		require.Equal(t, sent, got)

		one := Message{Buffers: [][]byte{{7}}, Addr: to.LocalAddr(), OOB: out.OOB}
		from.Join(&one)
		_, err = from.WriteBatch([]Message{one})
		require.NoError(t, err)
		n, err = to.ReadBatch(in)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, 1, to.Split(&in[0]))
	}
}
