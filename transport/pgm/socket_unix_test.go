//go:build unix

package pgm

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/internal/mcast"
)

// A pickySocket refuses packets together, and those that are too long.
type pickySocket struct {
	sent   []string
	limit  int
	closed bool
}

func (s *pickySocket) WriteBatch(ms []mcast.Message) (int, error) {
	for i, m := range ms {
		switch {
		case s.closed:
			return i, net.ErrClosed
		case len(m.Buffers) > 1:
			return i, syscall.EIO
		case len(m.Buffers[0]) > s.limit:
			return i, syscall.EMSGSIZE
		}
		s.sent = append(s.sent, string(m.Buffers[0]))
	}
	return len(ms), nil
}

func (*pickySocket) ReadBatch([]mcast.Message) (int, error) { return 0, net.ErrClosed }
func (*pickySocket) Together(int) int                       { return 64 }
func (*pickySocket) Join(*mcast.Message)                    {}
func (*pickySocket) Split(m *mcast.Message) int             { return m.N }
func (*pickySocket) SetReadDeadline(time.Time) error        { return nil }
func (*pickySocket) Close() error                           { return nil }

// What the system does not send together goes out one by one; what it does not
// send at all is counted.
func TestRefusedTogether(t *testing.T) {
	c := &config{counters: &transport.PacketCounters{}}
	s := &pickySocket{limit: 3}
	ms := []mcast.Message{
		{Buffers: [][]byte{[]byte("a")}},
		{Buffers: [][]byte{[]byte("b"), []byte("long"), []byte("c")}},
		{Buffers: [][]byte{[]byte("longer")}},
		{Buffers: [][]byte{[]byte("d"), []byte("e")}},
	}
	require.NoError(t, writeAll(c, s, ms))
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, s.sent)
	require.Equal(t, uint64(2), c.counters.Unsent.Load())
	s.closed = true
	require.ErrorIs(t, writeAll(c, s, ms), net.ErrClosed)
}
