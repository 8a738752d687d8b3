//go:build unix

package msgcore

import (
	"context"
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newLent returns a PULL with a high-water mark of 10 and n messages from a PUSH, whose
// reader has found no room and lends itself.
func newLent(t *testing.T, n int) (ctx context.Context, pull *Socket, in *inlet) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	pull = NewPull(&Options{RecvHWM: 10})
	t.Cleanup(func() { pull.Close() })
	bound, err := pull.Bind(ctx, "tcp://127.0.0.1:*")
	require.NoError(t, err)
	push := NewPush(&Options{SendHWM: n})
	t.Cleanup(func() { push.Close() })
	require.NoError(t, push.Connect(bound))
	require.NoError(t, pull.WaitPeers(ctx, 1))
	for i := range n {
		require.NoError(t, push.Send(ctx, binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(i))))
	}
	for len(push.Pending()) > 0 { // then the system has it all, and reads find it
		require.NoError(t, ctx.Err())
		runtime.Gosched()
	}
	pull.recvMu.Lock()
	in = pull.inlets
	pull.recvMu.Unlock()
	awaitReader(t, in, func() bool { return in.lent })
	return ctx, pull, in
}

// awaitReader waits until ok, which it calls under in.mu.
func awaitReader(t *testing.T, in *inlet, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; runtime.Gosched() {
		in.mu.Lock()
		done := ok()
		in.mu.Unlock()
		if done {
			return
		}
		require.True(t, time.Now().Before(end), "the reader does not do so")
	}
}

func receiveNumber(t *testing.T, ctx context.Context, s *Socket, want int) {
	t.Helper()
	m, err := s.Recv(ctx)
	require.NoError(t, err)
	require.EqualValues(t, want, binary.BigEndian.Uint64(m.Frames[0]))
	m.Release()
}

func untold(s *Socket, in *inlet) bool {
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	return in.standIn.untold
}

// Whoever receives reads on while the reader waits, and what it cannot is the
// reader's again.
func TestReceiverStandsIn(t *testing.T) {
	const n = 1000
	ctx, pull, in := newLent(t, n)
	for i := range n {
		receiveNumber(t, ctx, pull, i)
	}
	require.NotZero(t, in.r.uses.Load(), "nobody has read in the place of the reader")
	_, ok, err := pull.TryRecv() // finds nothing to read
	require.NoError(t, err)
	require.False(t, ok)
	awaitReader(t, in, func() bool { return !in.lent })
}

// A reader that nobody stands in for gets to know of the room in time, and goes on
// with what was left of what others have read.
func TestReaderIsNotForgotten(t *testing.T) {
	const n, size = 1000, 8 + 2
	ctx, pull, in := newLent(t, n)
	i := 0
	for ; in.r.uses.Load() == 0 || in.r.reads.Load() < n*size || !untold(pull, in); i++ {
		receiveNumber(t, ctx, pull, i)
	}
	require.Less(t, i, n-50, "all was received: the test is none")
	awaitReader(t, in, func() bool { return !in.lent || len(in.ahead) > 0 })
	for ; i < n; i++ {
		receiveNumber(t, ctx, pull, i)
	}
}

// A Poller does not read, and so it tells the reader.
func TestPollerTellsReader(t *testing.T) {
	const n = 1000
	ctx, pull, in := newLent(t, n)
	i := 0
	for ; !untold(pull, in); i++ {
		receiveNumber(t, ctx, pull, i)
	}
	pull.recvMu.Lock()
	in.standIn.timer.Stop() // nothing else does
	pull.recvMu.Unlock()
	var p Poller
	p.Add(pull, PollIn)
	for ; i < n; i++ {
		_, err := p.Wait(ctx, nil)
		require.NoError(t, err)
		receiveNumber(t, ctx, pull, i)
	}
	require.Zero(t, in.r.uses.Load())
}

// A socket that is closed while its reader is lent leaves nothing behind, and counts
// what was not received.
func TestCloseWhileLent(t *testing.T) {
	ctx, pull, _ := newLent(t, 1000)
	for i := range 15 {
		receiveNumber(t, ctx, pull, i)
	}
	require.NoError(t, pull.Close())
	s := pull.Stats()
	require.Equal(t, s.MessagesIn, 15+s.DroppedUnread)
	require.Zero(t, s.QueuedIn)
}
