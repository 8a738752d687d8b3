package pgm_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/pgm"
)

const mebi = 1 << 20

// A forger pretends to be one source after the other, or several in turn.
type forger struct{ s *pgm.TestSender }

func newForger() forger { return forger{pgm.NewTestSender(1, 4, nil)} }

// data is a packet of source id.
func (f forger) data(id, sqn uint32, size int) []byte {
	b := append([]byte(nil), f.s.Send(0, make([]byte, size))...)
	binary.BigEndian.PutUint32(b[8:], id)
	binary.BigEndian.PutUint32(b[16:], sqn)
	binary.BigEndian.PutUint32(b[20:], 0) // trail
	return pgm.Finish(b)
}

// However many pretend to be senders, what is kept of them is bounded; a real
// session beside them loses nothing, although packets of it are lost on the way,
// and neither does one that begins meanwhile.
func TestFlood(t *testing.T) {
	n := newNet(1, 1<<12, 1, way{loss: 5})
	m := n.members[0]
	m.r.SetLimit(8 * mebi)
	n.members[0].way.loss = 0
	n.begin()
	n.stream(2000)
	late := pgm.NewTestSender(2, 1<<12, func([]byte) {})
	for i := range 500 {
		n.after(time.Second+time.Duration(i)*time.Millisecond, func() {
			m.r.Input(n.now, late.Send(n.now, fmt.Append(nil, "late ", i)), "10.0.0.2")
		})
	}
	f := newForger()
	id := uint32(1 << 20)
	for i := range 975 {
		n.after(50*time.Millisecond+time.Duration(i)*2*time.Millisecond, func() {
			m.way.loss = 5
			for range 5 {
				id++
				from := fmt.Sprintf("10.1.%d.%d", id>>8&0xFF, id&0xFF)
				for k := range uint32(2) { // with many holes, and much data behind them
					m.r.Input(n.now, f.data(id, id*977, 1400), from)
					m.r.Input(n.now, f.data(id, id*977+1+k*100, 1400), from)
				}
			}
			if i%20 == 0 {
				require.LessOrEqual(t, m.r.Used(t), 8*mebi)
			}
			require.LessOrEqual(t, m.r.Sources(), 256)
		})
	}
	n.run(10 * time.Second)
	next, lateNext := 0, 0
	for _, d := range m.got {
		require.Zero(t, d.Lost)
		switch {
		case d.Data == fmt.Sprint(next):
			next++
		case d.Data == fmt.Sprint("late ", lateNext):
			lateNext++
		}
	}
	require.Equal(t, 2000, next)
	require.Equal(t, 500, lateNext)
	require.Greater(t, m.r.Counters.Refused.Load(), uint64(4000))
	n.run(400 * time.Second)
	m.r.Tick(700 * time.Second)
	require.Zero(t, m.r.Used(t), "nobody is left")
}

// Forged sources that behave until they have proven themselves take no more than
// their share, and a real session keeps its place, and room for what it needs.
func TestFloodOfProven(t *testing.T) {
	n := newNet(2, 1<<12, 1, way{})
	m := n.members[0]
	m.r.SetLimit(64 * mebi)
	n.begin()
	n.stream(100)
	n.run(time.Second)
	f := newForger()
	for id := range uint32(270) {
		for sqn := range uint32(40) {
			m.r.Input(n.now, f.data(id, sqn, 100), "10.9.9.9")
		}
		for sqn := range uint32(110) { // behind a hole
			m.r.Input(n.now, f.data(id, 50+sqn, 1400), "10.9.9.9")
		}
		if id%20 == 19 {
			require.LessOrEqual(t, m.r.Used(t), 64*mebi)
		}
	}
	require.LessOrEqual(t, m.r.Sources(), 256)
	require.Positive(t, m.r.Counters.Refused.Load())
	m.way.loss = 5
	for i := range 1000 {
		n.after(time.Duration(i)*5*time.Millisecond, func() { n.multicast(n.s.Send(n.now, fmt.Append(nil, 100+i))) })
	}
	n.run(20 * time.Second)
	next := 0
	for _, d := range m.got {
		if d.Data == fmt.Sprint(next) {
			next++
		}
	}
	require.Equal(t, 1100, next)
}

// One that has proven itself gives its place to another when it is silent or over.
func TestSilentSource(t *testing.T) {
	got := map[string]int{}
	r := pgm.NewTestReceiver(1, 1<<10, func([]byte) {}, func(d pgm.TestDelivery) { got[d.Data]++ })
	f := newForger()
	for id := range uint32(256) {
		for sqn := range uint32(17) {
			r.Input(0, f.data(id, sqn, 1), "10.9.9.9")
		}
	}
	require.Equal(t, 256, r.Sources(), "192 that have proven themselves, 64 that may not yet")
	require.Zero(t, r.Counters.Refused.Load())
	for id := range uint32(100) {
		for sqn := range uint32(40) {
			r.Input(70*time.Second, f.data(1000+id, sqn, 1), "10.9.9.9")
		}
	}
	require.LessOrEqual(t, r.Sources(), 256)
	require.Equal(t, uint64(1), r.Counters.Refused.Load(), "one on trial has made room, then silent ones did")
	r.Tick(70 * time.Second)
	r.Used(t)
}

// Nothing is told of a source of which nothing was delivered: a flood does not
// fill what the application has not yet read.
func TestSilentFlood(t *testing.T) {
	told := 0
	r := pgm.NewTestReceiver(1, 1<<10, func([]byte) {}, func(pgm.TestDelivery) { told++ })
	r.Blocked = true
	f := newForger()
	for id := range uint32(1000) {
		r.Input(0, f.data(id, 7, 1), "10.9.9.9")
	}
	require.Zero(t, told)
	require.Equal(t, 64, r.Sources())
}

// A part of a unit takes memory as it comes, not as it says.
func TestUnitMemory(t *testing.T) {
	r := pgm.NewTestReceiver(1, 64, func([]byte) {}, func(pgm.TestDelivery) {})
	r.SetLimit(2 * mebi)
	option := []byte{0x81, 16, 0, 0}
	for _, v := range []uint32{0, 0, 128 << 10} {
		option = binary.BigEndian.AppendUint32(option, v)
	}
	r.Input(0, pgm.AppendOptions(9, 0, option, make([]byte, 1000)), "10.0.0.1")
	require.Less(t, r.Used(t), 10_000)
	for i := range uint32(4000) {
		binary.BigEndian.PutUint32(option[8:], 1000*(i+1))
		r.Input(0, pgm.AppendOptions(9, i+1, option, make([]byte, 1000)), "10.0.0.1")
		require.LessOrEqual(t, r.Used(t), 8*mebi)
	}
	require.Positive(t, r.Counters.Refused.Load())
}

// A unit for which there is never room to hand it out is lost, and what is behind it
// comes; a smaller one comes whole.
func TestUnitBeyondTheMemory(t *testing.T) {
	var got []pgm.TestDelivery
	r := pgm.NewTestReceiver(1, 1<<12, func([]byte) {}, func(d pgm.TestDelivery) { got = append(got, d) })
	r.SetLimit(8 * mebi)
	sqn := uint32(0)
	in := func(option, data []byte) {
		r.Input(0, pgm.AppendOptions(1, sqn, option, data), "10.0.0.1")
		sqn++
	}
	plain := func() { in(nil2, []byte("x")) }
	for range 20 { // it proves itself
		plain()
	}
	require.Len(t, got, 20)
	const part = 1024
	for _, v := range []struct{ size, units int }{{mebi / 2, 1}, {mebi/2 + 1, 0}, {mebi, 0}, {4 * mebi, 0}} {
		got = nil
		first := sqn
		for offset := 0; offset < v.size; offset += part {
			option := []byte{0x81, 16, 0, 0}
			for _, n := range []uint32{first, uint32(offset), uint32(v.size)} {
				option = binary.BigEndian.AppendUint32(option, n)
			}
			in(option, make([]byte, min(part, v.size-offset)))
		}
		require.LessOrEqual(t, r.Used(t), 8*mebi)
		plain()
		require.Equal(t, "x", got[len(got)-1].Data)
		units := 0
		for _, d := range got {
			if len(d.Data) == v.size {
				units++
			}
		}
		require.Equal(t, v.units, units)
		require.Equal(t, v.units == 0, r.Counters.Lost.Load() > 0)
	}
}
