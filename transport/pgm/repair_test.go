package pgm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/pgm"
)

// Repairs keep to the rate, and each is sent once however often it is asked for.
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

// While both wait, new packets get a quarter of the rate and repairs the rest: a
// receiver that asks for everything again and again does not stop the sender, and the repairs
// of a pause are not held against it.
func TestRepairsShareTheRate(t *testing.T) {
	s := pgm.NewTestSender(1, 1000, func([]byte) {})
	s.Start(0)
	for range 1000 {
		s.Send(0, make([]byte, 1000))
	}
	s.SetRate(1_000_000)
	sent, alone := 0, uint64(0)
	sqns := make([]uint32, 60)
	for now := time.Duration(0); now < 6*time.Second; now += time.Millisecond {
		if now%(20*time.Millisecond) == 0 {
			for first := range uint32(16) {
				for i := range sqns {
					sqns[i] = uint32(sent) + first*60 + uint32(i)
				}
				s.Input(now, pgm.AppendNAK(1, sqns))
			}
		}
		s.Tick(now)
		for ; now >= 2*time.Second && s.Wait(now) == 0; sent++ {
			s.Send(now, make([]byte, 1000))
		}
		if now < 2*time.Second {
			alone = s.Repairs()
		}
	}
	const packets = 1e6 / 1056 // a second
	require.InDelta(t, 2*packets, int(alone), packets/5)
	require.InDelta(t, packets, sent, packets/3)
	require.InDelta(t, 3*packets, int(s.Repairs()-alone), packets/3)
}

// Requests cost the sender an answer each, but run up no debt: at a low rate, new
// packets and repairs go on however many come.
func TestRequestsRunUpNoDebt(t *testing.T) {
	s := pgm.NewTestSender(1, 1000, func([]byte) {})
	s.Start(0)
	for range 500 {
		s.Send(0, make([]byte, 1000))
	}
	s.SetRate(12_500) // 100 kbit/s
	sent := 0
	for now := time.Duration(0); now < 20*time.Second; now += 4 * time.Millisecond {
		s.Input(now, pgm.AppendNAK(1, []uint32{400}))
		s.Tick(now)
		for ; s.Wait(now) == 0; sent++ {
			s.Send(now, make([]byte, 1000))
		}
	}
	const packets = 20 * 12_500 / 1056
	require.Greater(t, sent, packets/6) // a quarter at least goes to them
	require.Greater(t, s.Repairs(), uint64(packets/3))
}

// However many requests come, what is sent to the group because of them is bounded,
// and what they ask for is sent all the same.
func TestConfirmationsAreBounded(t *testing.T) {
	var ncfs, spms int // bytes
	s := pgm.NewTestSender(1, 1000, func(b []byte) {
		switch b[4] {
		case 0x0A:
			ncfs += len(b) + 28
		case 0:
			spms += len(b) + 28
		}
	})
	s.Start(0)
	for range 500 {
		s.Send(0, make([]byte, 1000))
	}
	s.SetRate(12_500) // 100 kbit/s
	const seconds = 10
	for now := time.Duration(0); now < seconds*time.Second; now += 100 * time.Microsecond {
		s.Input(now, pgm.AppendNAK(1, []uint32{400}))
		s.Input(now, pgm.AppendNAK(1, []uint32{1 << 20})) // it asks for what there is not
		s.Tick(now)
	}
	require.LessOrEqual(t, ncfs, (seconds+1)*64<<10)
	require.LessOrEqual(t, spms, seconds*25*100)
	require.Greater(t, s.Repairs(), uint64(seconds*5))
}

// What is missed in an outage at the default rate takes long to repair. As long as
// repairs come, the receiver waits for all that the sender still has.
func TestOutageAtALowRate(t *testing.T) {
	for _, outage := range []time.Duration{9 * time.Second, 25 * time.Second} {
		n := newNet(1, 256, 1, way{})
		n.s.SetRate(12_500) // 100 kbit/s, 8 packets a second
		n.begin()
		m := n.members[0]
		n.after(3*time.Second, func() { m.way.down = true })
		n.after(3*time.Second+outage, func() { m.way.down = false })
		n.offer(0, 300, 100*time.Millisecond, 1400)
		n.run(150 * time.Second)
		m.complete(t, 0, 300)
	}
}

// A sender whose window passed fast, and that pauses then, still has what was missed
// last: it is not given up when requests are without answer for as long as the window
// took.
func TestPauseOfAFastSender(t *testing.T) {
	n := newNet(1, 256, 1, way{})
	n.begin()
	n.offer(0, 1000, 100*time.Microsecond, 0) // the window passes in 26 ms
	m := n.members[0]
	n.after(90*time.Millisecond, func() { m.way.loss, n.back.down = 30, true })
	n.after(2*time.Second, func() { m.way.loss, n.back.down = 0, false })
	n.run(30 * time.Second)
	m.complete(t, 0, 1000)
}
