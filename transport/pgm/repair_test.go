package pgm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/pgm"
)

// Repairs keep to the rate, each is sent once however often it is asked for, and
// new packets wait for them.
func TestRepairsKeepToTheRate(t *testing.T) {
	var out [][]byte
	s := pgm.NewTestSender(1, 1000, func(b []byte) { out = append(out, append([]byte(nil), b...)) })
	s.Start(0)
	for range 500 {
		s.Send(0, make([]byte, 1000))
	}
	s.SetRate(1_000_000) // some 950 packets a second
	sqns := make([]uint32, 60)
	ask := func(now time.Duration) {
		for first := range uint32(5) {
			for i := range sqns {
				sqns[i] = first*60 + uint32(i)
			}
			require.True(t, s.Input(now, pgm.AppendNAK(1, sqns)))
		}
	}
	ask(0)
	require.Less(t, s.Repairs(), uint64(12), "10 ms worth")
	require.Positive(t, s.Wait(0))
	ask(5 * time.Millisecond)
	now, last := time.Duration(0), time.Duration(0)
	for s.Repairs() < 300 {
		before := s.Repairs()
		next := s.Tick(now)
		require.Greater(t, next, now)
		require.LessOrEqual(t, s.Repairs()-before, uint64(12))
		last, now = now, next
	}
	require.InDelta(t, 300*1052/1e6, last.Seconds(), 0.03)
	seen := map[uint32]bool{}
	for _, b := range out {
		p, _, err := pgm.Parse(b)
		require.NoError(t, err)
		if p.Type == 5 {
			require.False(t, seen[p.Sqn])
			seen[p.Sqn] = true
		}
	}
	require.Len(t, seen, 300)
	require.Zero(t, s.Wait(now+time.Second))
}
