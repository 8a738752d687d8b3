package pgm_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/pgm"
)

// newParityNet is newNet with a sender that offers parity of groups of so many.
func newParityNet(seed uint64, window, group, n int, v way) *net {
	t := newNet(seed, window, n, v)
	t.s = pgm.NewParitySender(1, window, group, t.multicast)
	return t
}

func TestParityLoss(t *testing.T) {
	for _, group := range []int{2, 16, 128} {
		for _, v := range []way{{}, {loss: 1}, {loss: 10}, {loss: 30}, {dup: 30}, {jitter: 20}, {loss: 20, dup: 20, jitter: 20}} {
			for seed := range seeds() {
				n := newParityNet(seed, 1<<12, group, 3, way{})
				n.begin()
				n.run(10 * time.Millisecond)
				for _, m := range n.members {
					m.way = v
				}
				n.back = v
				n.offer(0, 1000, time.Millisecond, int(seed%3)*200) // of varying length, or of one
				n.run(30 * time.Second)
				for _, m := range n.members {
					m.complete(t, 0, 1000)
					require.Zero(t, m.r.Counters.Malformed.Load())
					m.r.Used(t)
				}
				if v == (way{}) {
					require.Zero(t, n.naks)
				}
				if v.loss > 0 {
					require.Positive(t, n.parities)
				}
			}
		}
	}
}

// One parity packet repairs what each of many receivers has lost, whichever that is.
func TestParityGain(t *testing.T) {
	sent := func(group int) (repairs, naks int) {
		n := newParityNet(1, 1<<12, group, 30, way{})
		n.begin()
		n.run(10 * time.Millisecond)
		for _, m := range n.members {
			m.way.loss = 3
		}
		n.offer(0, 1600, time.Millisecond, 100)
		n.run(20 * time.Second)
		for _, m := range n.members {
			m.complete(t, 0, 1600)
		}
		return n.repairs, n.naks
	}
	selective, naks := sent(0)
	parity, parityNAKs := sent(16)
	t.Logf("repairs: %d selective, %d by parity; requests: %d and %d", selective, parity, naks, parityNAKs)
	require.Less(t, 2*parity, selective)
	require.Less(t, parityNAKs, naks)
}

// While the rate lets repairs through slowly, those who wait for their turn do not ask
// for the packets as well.
func TestParityOfAnOutage(t *testing.T) {
	n := newParityNet(1, 1<<12, 16, 5, way{})
	n.s.SetRate(1.3 * 1052 * 1000)
	n.begin()
	n.after(496500*time.Microsecond, func() { n.setDown(true) })
	n.after(2496500*time.Microsecond, func() { n.setDown(false) })
	n.offer(0, 4000, time.Millisecond, 1000)
	n.run(30 * time.Second)
	for _, m := range n.members {
		m.complete(t, 0, 4000)
	}
	require.InDelta(t, 2000, n.repairs, 40)
}

// The numbers wrap, and groups with them.
func TestParityWrap(t *testing.T) {
	n := newParityNet(1, 960, 16, 2, way{})
	n.s.SetNext(1<<32 - 512)
	n.begin()
	n.run(10 * time.Millisecond)
	for _, m := range n.members {
		m.way.loss = 20
	}
	n.stream(1000)
	n.run(20 * time.Second)
	for _, m := range n.members {
		m.complete(t, 0, 1000)
	}
	require.Positive(t, n.parities)
}

// What is missing of a group that goes on waits for its end, and is not looked at again
// and again within one tick: not even if the sender's window passes in no time, so that
// it is soon to be asked for.
func TestParityOfAFastSender(t *testing.T) {
	n := newNet(1, 16, 1, way{})
	r := n.members[0].r
	s := pgm.NewParitySender(1, 16, 16, func(b []byte) { r.Input(n.now, b, "10.0.0.1") })
	s.Start(0)
	for i := range 21 { // number 16 says that 0 has left the window, a moment after it came
		if b := s.Send(n.now, fmt.Append(nil, i)); i != 19 {
			r.Input(n.now, b, "10.0.0.1")
		}
		n.now += 10 * time.Microsecond
	}
	for range 10 {
		n.now += 10 * time.Millisecond
		r.Tick(n.now)
	}
	require.Zero(t, n.naks)
}

// Parity goes on for however many packets: half the numbers later, those at the
// beginning do not count as later ones.
func TestParityGoesOn(t *testing.T) {
	n := newParityNet(1, 1<<12, 16, 1, way{})
	m := n.members[0]
	n.begin()
	n.after(100*time.Millisecond, func() {
		m.r.AgeParity()
		m.way.loss = 20
	})
	n.stream(1000)
	n.run(20 * time.Second)
	m.complete(t, 0, 1000)
	require.Greater(t, 2*n.parities, n.repairs)
}

// What is lost of a group that does not end is asked for itself, and comes soon.
func TestParityOfAPartOfAGroup(t *testing.T) {
	n := newParityNet(1, 1<<12, 128, 2, way{})
	n.begin()
	n.run(10 * time.Millisecond)
	m := n.members[0]
	m.way.loss = 50
	n.offer(0, 20, 100*time.Millisecond, 0)
	n.after(1950*time.Millisecond, func() { m.way.loss = 0 })
	n.run(20 * time.Second)
	m.complete(t, 0, 20)
	require.Less(t, m.last, 3*time.Second)
	require.Zero(t, n.parities)
}

// Nor is it held up by a forged packet of later in the group, which never ends then.
func TestForgedLead(t *testing.T) {
	n := newParityNet(1, 1<<12, 128, 1, way{})
	n.begin()
	m := n.members[0]
	n.run(10 * time.Millisecond)
	n.after(4500*time.Microsecond, func() { m.way.down = true })
	n.after(5500*time.Microsecond, func() { m.way.down = false })
	n.stream(20)
	n.after(30*time.Millisecond, func() {
		m.r.Input(n.now, pgm.AppendOptions(1, 60, nil, []byte("forged")), "10.0.0.1")
	})
	n.run(5 * time.Second)
	m.complete(t, 0, 20)
}

// One that comes late within a group has parity of the next ones; until then it asks
// for packets.
func TestParityLateJoiner(t *testing.T) {
	n := newParityNet(1, 1<<12, 64, 2, way{})
	m := n.members[1]
	m.way.down = true
	n.begin()
	n.after(500500*time.Microsecond, func() { m.way.down = false })
	n.after(502500*time.Microsecond, func() { m.way.loss = 20 })
	n.stream(1000)
	n.run(20 * time.Second)
	var first int
	_, err := fmt.Sscan(m.got[0].Data, &first)
	require.NoError(t, err)
	require.InDelta(t, 500, first, 2)
	m.complete(t, first, 1000)
	n.members[0].complete(t, 0, 1000)
	require.Positive(t, n.parities)
}

// A receiver that was away for longer than the window, whose groups have left it
// whole, learns how much it has lost, and goes on.
func TestParityBehindTheWindow(t *testing.T) {
	n := newParityNet(1, 128, 32, 1, way{})
	n.begin()
	m := n.members[0]
	n.after(100*time.Millisecond, func() { m.way.down = true })
	n.after(900*time.Millisecond, func() { m.way = way{loss: 10} })
	n.stream(2000)
	n.run(20 * time.Second)
	lost := m.toldAndGot(t, 2000)
	require.Greater(t, lost, uint64(500))
	require.Less(t, lost, uint64(1000))
	m.r.Used(t)
}

// Who asks for packets gets packets, as receivers do that know no parity.
func TestParityIsAnOffer(t *testing.T) {
	var out [][]byte
	s := pgm.NewParitySender(1, 64, 16, func(b []byte) { out = append(out, append([]byte(nil), b...)) })
	s.Start(0)
	for i := range 40 {
		s.Send(0, fmt.Append(nil, i))
	}
	out = nil
	require.True(t, s.Input(time.Second, pgm.AppendNAK(1, []uint32{3, 17, 39})))
	require.Len(t, out, 4, "a confirmation and three packets")
	for i, sqn := range []uint32{3, 17, 39} {
		p, _, err := pgm.Parse(out[i+1])
		require.NoError(t, err)
		require.Equal(t, byte(5), p.Type)
		require.Equal(t, fmt.Sprint(sqn), string(p.Data))
	}
}

// Requests for parity: what is not whole or has left the window has none, and what
// several ask for at a time is sent once, as much as the greediest of them wants.
func TestParityRequests(t *testing.T) {
	var out [][]byte
	s := pgm.NewParitySender(1, 64, 16, func(b []byte) { out = append(out, append([]byte(nil), b...)) })
	s.Start(0)
	for range 100 { // the window begins with 48 then, and the last group has 4
		s.Send(0, make([]byte, 100))
	}
	ask := func(now time.Duration, sqns ...uint32) (parity int) {
		out = nil
		s.Input(now, pgm.AppendParityNAK(1, sqns))
		for _, b := range out {
			if b[4] == 5 {
				require.Equal(t, byte(0x80), b[5]&0x80)
				parity++
			}
		}
		return parity
	}
	require.Zero(t, ask(time.Second, 0, 47))
	require.Zero(t, ask(time.Second, 96, 111))
	require.Zero(t, ask(time.Second, 1<<31))
	require.Equal(t, 2, ask(time.Second, 48+1))
	require.Zero(t, ask(time.Second, 48+0), "on its way")
	require.Equal(t, 3, ask(time.Second, 48+4, 48+2))
	require.Equal(t, 1, ask(2*time.Second, 48+0))
	seen := map[string]bool{}
	for i := range 300 { // all there are, each another one
		require.Equal(t, 16, ask(time.Duration(3+i)*time.Second, 80+15))
		for _, b := range out[1:] {
			p, _, err := pgm.Parse(b)
			require.NoError(t, err)
			seen[fmt.Sprint(p.Sqn, p.ParityGroup)] = true
		}
	}
	require.Len(t, seen, pgm.MaxBlock-16)
}

// Requests for parity keep to the rate, however many and however large they are.
func TestParityKeepsToTheRate(t *testing.T) {
	s := pgm.NewParitySender(1, 1024, 128, func([]byte) {})
	s.Start(0)
	for range 1024 {
		s.Send(0, make([]byte, 1000))
	}
	s.SetRate(1_000_000)
	all := make([]uint32, 0, 8)
	for g := range uint32(8) {
		all = append(all, g*128+127)
	}
	for now := time.Duration(0); now < 2*time.Second; now += time.Millisecond {
		s.Input(now, pgm.AppendParityNAK(1, all))
		s.Tick(now)
	}
	require.InDelta(t, 2*1e6/1052, int(s.Repairs()), 100)
}

// A receiver to which an offer is forged goes on without parity, late as it is.
func TestForgedOffer(t *testing.T) {
	n := newNet(1, 1<<12, 1, way{})
	m := n.members[0]
	n.begin()
	for _, group := range []int{3, 256, 1 << 30, 0, 1, 16} { // the first says what is offered
		fake := newNet(1, 1<<12, 1, way{})
		fake.members[0].way.loss = 0
		m := fake.members[0]
		fake.begin()
		fake.run(10 * time.Millisecond)
		m.r.Input(fake.now, pgm.AppendSPM(1, 10, 0, ^uint32(0), uint32(group)), "10.0.0.1")
		m.way.loss = 20
		fake.stream(500)
		fake.run(30 * time.Second)
		m.complete(t, 0, 500)
		m.r.Used(t)
	}
	n.run(time.Second)
	require.Empty(t, m.got)
}

// Parity that is forged, or of another kind than what is said, does no more harm than
// forged data: what memory it takes is bounded, what it does not decode is asked for
// packet by packet, and it is counted.
func TestForgedParity(t *testing.T) {
	for seed := range seeds() {
		n := newParityNet(seed, 1<<12, 16, 1, way{})
		m := n.members[0]
		m.r.SetLimit(8 * mebi)
		n.begin()
		n.run(10 * time.Millisecond)
		m.way.loss = 20
		rnd := rand.New(rand.NewPCG(seed, 5))
		n.stream(1000)
		for i := range 3000 {
			n.after(time.Duration(i)*time.Millisecond/3, func() {
				// Shorter than any packet, so that it cannot pass for a right one.
				b := pgm.AppendParity(1, uint32(rnd.IntN(62*16)), uint32(rnd.IntN(20)), rnd.IntN(2) == 0, make([]byte, rnd.IntN(2)))
				m.r.Input(n.now, b, "10.0.0.1")
				require.LessOrEqual(t, m.r.Used(t), 8*mebi)
			})
		}
		n.run(30 * time.Second)
		m.complete(t, 0, 1000)
		require.Positive(t, m.r.Counters.Malformed.Load())
	}
}

// With little memory, or while the application is slow, what is kept for parity has
// no more room than other things, and nothing is lost for it.
func TestParityMemory(t *testing.T) {
	n := newParityNet(1, 1<<13, 128, 1, way{})
	m := n.members[0]
	m.r.SetLimit(8 * mebi)
	n.begin()
	n.run(10 * time.Millisecond)
	m.way.loss = 10
	m.r.Blocked = true
	n.after(3*time.Second, func() { m.r.Blocked = false })
	n.offer(0, 6000, time.Millisecond, 1300)
	for i := range 100 {
		n.after(time.Duration(i)*100*time.Millisecond, func() { require.LessOrEqual(t, m.r.Used(t), 8*mebi) })
	}
	n.run(60 * time.Second)
	m.complete(t, 0, 6000)
	m.way.loss = 0 // or the end itself may be lost
	n.s.End(n.now)
	n.run(90 * time.Second)
	require.Less(t, m.r.Used(t), 4096, "nothing is held of what has ended")
}

// exchanged returns packets of a session with parity, in the order of their coming.
func exchanged() (all [][]byte) {
	s := pgm.NewParitySender(1, 32, 2, func(b []byte) { all = append(all, append([]byte(nil), b...)) })
	s.Start(0)
	for i := range 4 {
		b := s.Send(0, fmt.Append(nil, 1<<(8*i)))
		if i != 1 {
			all = append(all, append([]byte(nil), b...))
		}
	}
	nak := pgm.AppendParityNAK(1, []uint32{0, 2 + 1})
	all = append(all, nak)
	for i := range 3 { // the third time with OPT_PARITY_GRP
		s.Input(time.Duration(i)*time.Second, nak)
	}
	s.End(time.Second)
	return all
}
