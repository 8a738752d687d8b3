package msgcore

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// framing returns messages in the framing of a pipe.
func framing(messages [][][]byte) []byte {
	var b []byte
	for _, m := range messages {
		for i, f := range m {
			var flags byte
			if i < len(m)-1 {
				flags = zmtp.FlagMore
			}
			b = append(zmtp.AppendHeader(b, flags, len(f)), f...)
		}
	}
	return b
}

// feedPackets cuts messages into packets, taking them at odd moments.
func feedPackets(rnd *rand.Rand, size int, messages [][][]byte) (packets [][]byte) {
	e := newFeedEncoder(size)
	take := func(end bool) {
		for _, p := range e.packets(end) {
			packets = append(packets, bytes.Clone(p.Data))
		}
	}
	for _, m := range messages {
		for i, f := range m {
			var flags byte
			if i < len(m)-1 {
				flags = zmtp.FlagMore
			}
			e.add(flags, f)
			take(rnd.IntN(20) == 0)
		}
	}
	take(true)
	return packets
}

func randomMessages(rnd *rand.Rand, n int) [][][]byte {
	all := make([][][]byte, n)
	for i := range all {
		for range 1 + rnd.IntN(4) {
			size := rnd.IntN(50)
			switch rnd.IntN(10) {
			case 0:
				size = 250 + rnd.IntN(10) // where the header changes
			case 1:
				size = rnd.IntN(5000)
			}
			f := make([]byte, size)
			for k := range f {
				f[k] = byte(i + k)
			}
			all[i] = append(all[i], f)
		}
	}
	return all
}

// What goes in comes out, whatever the packets' size; and after a loss from the
// next message on that begins in a packet.
func TestFeed(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		messages := randomMessages(rnd, 100)
		ends := []int{0} // of the messages, in their framing
		for i := range messages {
			ends = append(ends, ends[i]+len(framing(messages[i:i+1])))
		}
		packets := feedPackets(rnd, 20+rnd.IntN(1500), messages)
		for _, p := range packets {
			require.Greater(t, len(p), feedHeader)
		}
		decode := func(lose int) (out []byte, lost uint64) {
			d := newFeedDecoder(0, &transport.PacketCounters{}, func(n uint64) { lost += n })
			for i, b := range packets {
				switch {
				case i == lose:
				case i == lose+1 && lose >= 0:
					out = d.decode(out, &transport.Packet{Data: b, Lost: 1})
				default:
					out = d.decode(out, &transport.Packet{Data: b})
				}
			}
			require.Zero(t, d.counters.Malformed.Load())
			return out, lost
		}
		whole, lost := decode(-1)
		require.Zero(t, lost)
		require.True(t, bytes.Equal(framing(messages), whole), "seed %d", seed)

		// With one packet lost, what comes is a beginning and an end of it, cut
		// between messages.
		k := rnd.IntN(len(packets))
		got, _ := decode(k)
		found := false
		for i := 0; i <= len(messages) && !found; i++ {
			for j := i; j <= len(messages) && !found; j++ {
				head, tail := whole[:ends[i]], whole[ends[j]:]
				found = len(head)+len(tail) == len(got) && bytes.HasPrefix(got, head) && bytes.HasSuffix(got, tail)
			}
		}
		require.True(t, found, "seed %d, packet %d lost", seed, k)
	}
}

// The bytes are libzmq's.
func TestFeedGolden(t *testing.T) {
	e := newFeedEncoder(1428)
	e.add(zmtp.FlagMore, []byte("topicA"))
	e.add(0, []byte("msg0"))
	ps := e.packets(true)
	require.Len(t, ps, 1)
	require.Equal(t, "\x00\x00\x07\x01topicA\x05\x00msg0", string(ps[0].Data))
	e.add(0, make([]byte, 3000))
	ps = e.packets(true)
	require.Len(t, ps, 3)
	require.Equal(t, "\x00\x00\xff\x00\x00\x00\x00\x00\x00\x0b\xb9\x00", string(ps[0].Data[:12]))
	require.Equal(t, "\xff\xff", string(ps[1].Data[:2]))
}

// Claims are refused, or believed only as far as bytes come.
func TestFeedHostile(t *testing.T) {
	for name, b := range map[string]string{
		"empty":              "",
		"half an offset":     "\x00",
		"offset outside":     "\x00\x05ab",
		"length of zero":     "\x00\x00\x00\x00",
		"2^64-1":             "\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00",
		"2^63":               "\x00\x00\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00",
		"more than is taken": "\x00\x00\xff\x00\x00\x00\x00\x00\x00\x04\x02\x00",
	} {
		d := newFeedDecoder(1024, &transport.PacketCounters{}, nil)
		out := d.decode(nil, &transport.Packet{Data: []byte(b)})
		require.Empty(t, out, name)
		require.Equal(t, uint64(1), d.counters.Malformed.Load(), name)
		out = d.decode(nil, &transport.Packet{Data: []byte("\x00\x00\x03\x00ok")})
		require.Equal(t, "\x00\x02ok", string(out), name)
	}
	d := newFeedDecoder(0, &transport.PacketCounters{}, nil)
	claim := binary.BigEndian.AppendUint64([]byte{0, 0, 0xFF}, 200<<20)
	require.Empty(t, d.decode(nil, &transport.Packet{Data: append(claim, 0)}))
	require.Less(t, cap(d.streams[0].msg), 1024)
}

// What is unfinished of all publishers together is bounded: the largest is given
// up, not what others have begun.
func TestFeedTotal(t *testing.T) {
	const limit = 1 << 20
	d := newFeedDecoder(limit, &transport.PacketCounters{}, nil)
	begin := func(source uint64, claim, n int) {
		b := binary.BigEndian.AppendUint64([]byte{0, 0, 0xFF}, uint64(claim)+1)
		d.decode(nil, &transport.Packet{Source: source, Data: append(append(b, 0), make([]byte, n)...)})
	}
	goOn := func(source uint64, n int) []byte {
		return d.decode(nil, &transport.Packet{Source: source, Data: append([]byte{0xFF, 0xFF}, make([]byte, n)...)})
	}
	begin(0, 1000, 999)
	for source := range uint64(500) {
		begin(1+source, limit, 200_000)
		held := 0
		for _, st := range d.streams {
			held += len(st.msg)
		}
		require.Equal(t, int64(held), d.held)
		require.LessOrEqual(t, held, feedTotal+feedSlack)
	}
	require.Positive(t, d.counters.Refused.Load())
	require.Len(t, goOn(0, 1), 1000+9)
	for source := range uint64(501) {
		d.decode(nil, &transport.Packet{Source: source, Gone: true})
	}
	require.Zero(t, d.held)
	begin(0, 512<<10, 400<<10)
	d.decode(nil, &transport.Packet{Source: 0, Data: []byte{0xFF, 0xFF}})
	d.lost = func(uint64) {}
	d.decode(nil, &transport.Packet{Source: 0, Lost: 1})
	require.Zero(t, cap(d.streams[0].msg), "nothing large is kept")
}

// Publishers that are all within a message, however small MaxMessage is, do not
// displace each other.
func TestFeedOfManyAtOnce(t *testing.T) {
	for _, most := range []int64{64 << 10, 0, math.MaxInt64} {
		manyAtOnce(t, newFeedDecoder(most, &transport.PacketCounters{}, nil))
	}
}

func manyAtOnce(t *testing.T, d *feedDecoder) {
	const publishers, size = 24, 63 << 10
	got := 0
	for at := 0; at < size; at += 1024 {
		for source := range uint64(publishers) {
			b := []byte{0xFF, 0xFF}
			if at == 0 {
				b = append(binary.BigEndian.AppendUint64([]byte{0, 0, 0xFF}, size+1), 0)
			}
			got += len(d.decode(nil, &transport.Packet{Source: source, Data: append(b, make([]byte, 1024)...)}))
		}
	}
	require.Equal(t, publishers*(size+9), got)
	require.Zero(t, d.counters.Refused.Load())
}

func FuzzFeedDecoder(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 0))
	for _, b := range feedPackets(rnd, 100, randomMessages(rnd, 10)) {
		f.Add(b, uint64(0))
	}
	f.Add([]byte("\x00\x00\x07\x01topicA\x05\x00msg0"), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, lost uint64) {
		d := newFeedDecoder(1<<16, &transport.PacketCounters{}, func(uint64) {})
		var out []byte
		for i := range 3 {
			out = d.decode(out, &transport.Packet{Data: b, Lost: lost * uint64(i)})
		}
		var walker frameWalker // what comes is whole frames
		if len(out) > 0 {
			walker.parts = [][]byte{out}
		}
		for size := int64(0); ; {
			_, _, n, ok := walker.next()
			if size += n; !ok {
				if size != int64(len(out)) {
					t.Fatal("not whole frames")
				}
				return
			}
		}
	})
}

func FuzzDatagramDecoder(f *testing.F) {
	for _, seed := range []string{"\x03grpHELLO", "", "\xff", "\x00", "\x00x"} {
		f.Add([]byte(seed), seed == "")
	}
	f.Fuzz(func(t *testing.T, b []byte, addressed bool) {
		d := datagramDecoder{addressed: addressed, max: 1 << 12, counters: &transport.PacketCounters{}}
		out := d.decode(nil, &transport.Packet{Data: b})
		if len(out) == 0 {
			if d.counters.Malformed.Load() != 1 {
				t.Fatal("neither taken nor counted")
			}
			return
		}
		w := frameWalker{parts: [][]byte{out}}
		flags, _, _, _ := w.next()
		last, _, _, ok := w.next()
		if flags != zmtp.FlagMore && flags != zmtp.FlagMore|zmtp.FlagLong || last&zmtp.FlagMore != 0 || !ok {
			t.Fatalf("frames with flags %x and %x", flags, last)
		}
	})
}
