package pgm_test

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/pgm"
)

// A world is a clock and a network: what is to happen, by its time.
type world struct {
	now    time.Duration
	events events
	order  int
	rnd    *rand.Rand
}

type event struct {
	at    time.Duration
	order int
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

func newWorld(seed uint64) *world { return &world{rnd: rand.New(rand.NewPCG(seed, 7))} }

func (w *world) after(d time.Duration, do func()) {
	w.order++
	heap.Push(&w.events, event{w.now + d, w.order, do})
}

// run lets everything happen up to the time end.
func (w *world) run(end time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= end {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	w.now = end
}

// tick calls f again and again when it says.
func (w *world) tick(f func(now time.Duration) time.Duration) {
	next := max(f(w.now), w.now+time.Millisecond)
	w.after(min(next-w.now, 10*time.Millisecond), func() { w.tick(f) }) // 10 ms: input may change it
}

// A way is how packets get from here to there.
type way struct {
	loss, dup, jitter int // percent, percent, ms
	down              bool
}

func (w *world) carry(v *way, b []byte, to func([]byte)) {
	b = append([]byte(nil), b...)
	if v.down || w.rnd.IntN(100) < v.loss {
		return
	}
	n := 1
	if w.rnd.IntN(100) < v.dup {
		n = 2
	}
	for range n {
		d := time.Millisecond
		if v.jitter > 0 {
			d += time.Duration(w.rnd.IntN(v.jitter*1000)) * time.Microsecond
		}
		w.after(d, func() { to(b) })
	}
}

// A member is a receiver, and what it got.
type member struct {
	r    *pgm.TestReceiver
	way  way // to it
	got  []pgm.TestDelivery
	last time.Duration // when it got something
}

// A net is a sender and receivers.
type net struct {
	*world
	s        *pgm.TestSender
	back     way // to the sender
	members  []*member
	queue    [][]byte // offered, until the rate allows to send it
	repairs  int      // of all, on the wire
	naks     int
	parities int // of the repairs
}

func newNet(seed uint64, window, n int, v way) *net {
	t := &net{world: newWorld(seed)}
	t.s = pgm.NewTestSender(1, window, t.multicast)
	for i := range n {
		m := &member{way: v}
		m.r = pgm.NewTestReceiver(seed+uint64(i), 1<<12,
			func(b []byte) {
				t.naks++
				t.carry(&t.back, b, func(b []byte) { t.s.Input(t.now, b) })
			},
			func(d pgm.TestDelivery) { m.got, m.last = append(m.got, d), t.now })
		t.members = append(t.members, m)
	}
	for _, m := range t.members {
		t.tick(m.r.Tick)
	}
	return t
}

func (t *net) begin() {
	t.s.Start(t.now)
	t.tick(t.s.Tick)
}

func (t *net) multicast(b []byte) {
	if b[4] == 5 {
		t.repairs++
		t.parities += int(b[5] >> 7)
	}
	for _, m := range t.members {
		t.carry(&m.way, b, func(b []byte) { m.r.Input(t.now, b, "10.0.0.1") })
	}
}

// stream sends n packets, one each millisecond if the rate allows it.
func (t *net) stream(n int) { t.offer(0, n, time.Millisecond, 0) }

// offer sends packets from to to-1, one each so often as soon as the rate allows it.
// They have that size at least.
func (t *net) offer(from, to int, each time.Duration, size int) {
	for i := from; i < to; i++ {
		t.after(time.Duration(i-from)*each, func() {
			if t.queue = append(t.queue, fmt.Appendf(nil, "%-*d", size, i)); len(t.queue) == 1 {
				t.send()
			}
		})
	}
}

// send sends what was offered, and comes again for what the rate does not allow yet.
func (t *net) send() {
	for ; len(t.queue) > 0; t.queue = t.queue[1:] {
		if wait := t.s.Wait(t.now); wait > 0 {
			t.after(wait, t.send)
			return
		}
		t.multicast(t.s.Send(t.now, t.queue[0]))
	}
}

// complete checks that m has got packets from to to-1 in order.
func (m *member) complete(t *testing.T, from, to int) {
	t.Helper()
	i := from
	for _, d := range m.got {
		require.Zero(t, d.Lost, "before %d", i)
		if !d.Gone {
			require.Equal(t, fmt.Sprint(i), strings.TrimRight(d.Data, " "))
			i++
		}
	}
	require.Equal(t, to, i)
}

// seeds is how many worlds a test sees.
func seeds() uint64 {
	if os.Getenv("SOLOMQ_TEST") == "full" {
		return 50
	}
	return 3
}

func TestLoss(t *testing.T) {
	for _, v := range []way{{}, {loss: 1}, {loss: 10}, {loss: 30}, {dup: 30}, {jitter: 20}, {loss: 20, dup: 20, jitter: 20}} {
		for seed := range seeds() {
			n := newNet(seed, 1<<12, 3, way{})
			n.begin()
			n.run(10 * time.Millisecond) // they have heard of the session
			for _, m := range n.members {
				m.way = v
			}
			n.back = v
			n.stream(1000)
			n.run(30 * time.Second)
			for _, m := range n.members {
				m.complete(t, 0, 1000)
			}
			if v == (way{}) {
				require.Zero(t, n.naks)
			}
		}
	}
}

// The sequence numbers wrap.
func TestWrap(t *testing.T) {
	n := newNet(1, 1<<12, 2, way{})
	n.s.SetNext(1<<32 - 500)
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
}

func TestBlackout(t *testing.T) {
	n := newNet(1, 1<<12, 2, way{})
	n.begin()
	n.stream(1000)
	n.after(300*time.Millisecond, func() { n.members[1].way.down = true })
	n.after(600*time.Millisecond, func() { n.members[1].way.down = false })
	n.run(20 * time.Second)
	for _, m := range n.members {
		m.complete(t, 0, 1000)
	}
	require.Less(t, n.naks, 60, "requests that fit into lists")
}

// What one of many misses costs the others nothing as long as the rate has room for
// its repairs, and no more than three quarters if not. Those that miss the same do
// not all ask for it.
func TestManyReceivers(t *testing.T) {
	for _, v := range []struct {
		rate  float64
		loss  int
		until time.Duration
	}{
		{100_000, 30, 2*time.Second + 10*time.Millisecond},
		{58_000, 0, 2*time.Second + 10*time.Millisecond}, // hardly room for anything else
		{58_000, 95, 8*time.Second + 200*time.Millisecond},
	} {
		n := newNet(1, 1<<12, 8, way{})
		n.s.SetRate(v.rate)
		n.begin()
		n.members[0].way.loss = v.loss
		n.stream(2000)
		n.run(20 * time.Second)
		for _, m := range n.members[1:] {
			m.complete(t, 0, 2000)
			require.LessOrEqual(t, m.last, v.until)
		}
	}
	n := newNet(2, 1<<12, 20, way{})
	n.begin()
	n.run(10 * time.Millisecond)
	for _, at := range []int{100, 300, 500} {
		n.after(time.Duration(at)*time.Millisecond, func() { n.setDown(true) })
		n.after(time.Duration(at+20)*time.Millisecond, func() { n.setDown(false) })
	}
	n.stream(1000)
	n.run(20 * time.Second)
	for _, m := range n.members {
		m.complete(t, 0, 1000)
	}
	require.Less(t, n.naks, 3*20/2, "of 3 bursts that 20 have missed")
	require.Less(t, n.repairs, 3*20+10, "once for all")
}

func (t *net) setDown(down bool) {
	for _, m := range t.members {
		m.way.down = down
	}
}

// toldAndGot checks that m has got all of n packets but those of which it was told that
// they are lost, and returns how many those are.
func (m *member) toldAndGot(t *testing.T, n int) (lost uint64) {
	t.Helper()
	next := 0
	for _, d := range m.got {
		lost += d.Lost
		next += int(d.Lost)
		if d.Data != "" {
			require.Equal(t, fmt.Sprint(next), d.Data)
			next++
		}
	}
	require.Equal(t, n, next, "told and got")
	return lost
}

// A receiver that was away for longer than the window learns how much it has
// lost, and goes on.
func TestBehindTheWindow(t *testing.T) {
	for seed := range uint64(10) {
		n := newNet(seed, 64, 1, way{})
		n.begin()
		m := n.members[0]
		n.after(100*time.Millisecond, func() { m.way.down = true })
		n.after(900*time.Millisecond, func() { m.way.down = false })
		n.stream(1000)
		n.run(20 * time.Second)
		lost := m.toldAndGot(t, 1000)
		require.Equal(t, lost, m.r.Counters.Lost.Load())
		require.Greater(t, lost, uint64(500))
		require.Less(t, lost, uint64(900))
	}
}

// A sender whose window passes fast is asked in time: of 30 % that are lost, of
// which each repair is lost as often, almost all comes.
func TestShortWindow(t *testing.T) {
	for seed := range seeds() {
		n := newNet(seed, 256, 1, way{}) // 256 ms, in which 200 ms are waited for a repair elsewhere
		n.begin()
		n.stream(5000)
		n.run(300 * time.Millisecond)
		m := n.members[0]
		m.way.loss = 30
		n.run(20 * time.Second)
		require.Less(t, m.r.Counters.Lost.Load(), uint64(100))
	}
}

// One that comes late begins with what is sent next.
func TestLateJoiner(t *testing.T) {
	n := newNet(1, 1<<12, 2, way{})
	m := n.members[1]
	m.way.down = true
	n.begin()
	n.after(500500*time.Microsecond, func() { m.way.down = false })
	n.stream(1000)
	n.run(5 * time.Second)
	if m.got[0].Data == "501" {
		m.complete(t, 501, 1000) // by an SPM that came ahead
	} else {
		m.complete(t, 500, 1000)
	}
	n.members[0].complete(t, 0, 1000)
}

// One that comes while others are repaired begins with what is sent next, not with
// what they have asked for, and does not ask for what is before it.
func TestJoinerHearsRepairsFirst(t *testing.T) {
	for _, group := range []int{0, 16} {
		var repairs [][]byte
		s := pgm.NewParitySender(1, 64, group, func(b []byte) { repairs = append(repairs, append([]byte(nil), b...)) })
		for i := range 50 {
			s.Send(0, fmt.Append(nil, i))
		}
		s.Input(time.Second, pgm.AppendNAK(1, []uint32{30, 31}))
		if group > 0 {
			s.Input(time.Second, pgm.AppendParityNAK(1, []uint32{32 + 3}))
		}
		require.Greater(t, len(repairs), 2) // with the confirmations
		var got []string
		asks := 0
		r := pgm.NewTestReceiver(1, 64, func(b []byte) {
			if b[4] == 8 {
				asks++
			}
		}, func(d pgm.TestDelivery) { got = append(got, d.Data) })
		hear := func(bs ...[]byte) {
			for _, b := range bs {
				r.Input(2*time.Second, b, "10.0.0.1")
			}
		}
		hear(repairs...)
		require.Zero(t, r.Sources())
		hear(s.Send(time.Second, []byte("50")))
		hear(repairs...)
		if group > 0 { // it learns of the parity, and hears some of before its time
			hear(pgm.AppendSPM(1, 1, 0, 50, uint32(group)))
			hear(repairs...)
		}
		lost := s.Send(time.Second, []byte("51"))
		hear(s.Send(time.Second, []byte("52")))
		lost[4] = 5 // its repair
		hear(pgm.Finish(lost))
		r.Tick(3 * time.Second)
		require.Equal(t, []string{"50", "51", "52"}, got)
		require.Zero(t, asks)
	}
}

// A full application loses nothing while the window holds, and the window is
// bounded.
func TestSlowApplication(t *testing.T) {
	n := newNet(1, 1<<13, 1, way{})
	n.begin()
	m := n.members[0]
	m.r.Blocked = true
	n.after(3*time.Second, func() { m.r.Blocked = false })
	n.stream(6000) // more than the receiver's window of 4096
	n.run(2900 * time.Millisecond)
	require.LessOrEqual(t, m.r.Slots(), 1<<12)
	n.run(60 * time.Second)
	m.complete(t, 0, 6000)
}

// The end of a session is told once, and what comes late of it is nothing new.
func TestEnd(t *testing.T) {
	n := newNet(1, 1<<12, 1, way{loss: 10, dup: 50, jitter: 50})
	n.members[0].way.loss = 0
	n.begin()
	n.stream(100)
	n.run(2 * time.Second)
	n.s.End(n.now)
	n.run(5 * time.Second)
	m := n.members[0]
	var gone int
	for _, d := range m.got {
		if d.Gone {
			gone++
		}
	}
	require.Equal(t, 1, gone)
	require.True(t, m.got[len(m.got)-1].Gone)
	before := len(m.got)
	m.r.Input(n.now, n.s.Send(n.now, []byte("a late one")), "10.0.0.1")
	require.Len(t, m.got, before)
}

// Two senders of the same id at different addresses are two, as are two sessions
// at one address.
func TestSources(t *testing.T) {
	seen := map[uint64][]string{}
	r := pgm.NewTestReceiver(1, 64, func([]byte) {}, func(d pgm.TestDelivery) { seen[d.Source] = append(seen[d.Source], d.Data) })
	a, b, c := pgm.NewTestSender(1, 64, nil), pgm.NewTestSender(1, 64, nil), pgm.NewTestSender(2, 64, nil)
	for i := range 3 {
		data := []byte{'0' + byte(i)}
		r.Input(0, a.Send(0, data), "10.0.0.1")
		r.Input(0, b.Send(0, data), "10.0.0.2")
		r.Input(0, c.Send(0, data), "10.0.0.1")
	}
	require.Len(t, seen, 3)
	for _, s := range seen {
		require.Equal(t, []string{"0", "1", "2"}, s)
	}
}

// Options that are not known are passed over, or the packet is, as they say.
// Parts of a larger unit are put together.
func TestOptions(t *testing.T) {
	var got []string
	r := pgm.NewTestReceiver(1, 64, func([]byte) {}, func(d pgm.TestDelivery) { got = append(got, d.Data) })
	in := func(sqn uint32, options []byte, data string) {
		r.Input(0, pgm.AppendOptions(9, sqn, options, []byte(data)), "10.0.0.1")
	}
	fragment := func(first, offset, length uint32) []byte {
		b := []byte{0x81, 16, 0, 0}
		for _, v := range []uint32{first, offset, length} {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		return b
	}
	in(0, []byte{0x70 | 0x80, 4, 0, 0}, "ignore the option")
	in(1, []byte{0x70 | 0x80, 4, 2, 0}, "discard")
	in(1, []byte{0x70 | 0x80, 4, 3, 0}, "discard, too")
	in(1, []byte{0x70 | 0x80, 4, 1, 0}, "invalidate the option")
	in(2, fragment(2, 0, 7), "one")
	in(4, fragment(2, 5, 7), "ee")
	in(3, fragment(2, 3, 7), "tw")
	in(5, nil2, "x")
	require.Equal(t, []string{"ignore the option", "invalidate the option", "onetwee", "x"}, got)
	require.Equal(t, uint64(2), r.Counters.Malformed.Load())
	in(6, fragment(5, 3, 99), "a part without its beginning")
	in(7, []byte{0x70 | 0x80, 4, 0, 0}, "next")
	require.Equal(t, "next", got[len(got)-1])
}

var nil2 = []byte{0x8D, 4, 0, 0} // OPT_SYN
