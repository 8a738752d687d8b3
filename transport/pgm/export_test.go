package pgm

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
)

// The machines of the protocol, for tests under a clock and a network of their own.

// A TestSender is a sender.
type TestSender struct{ m *sender }

// NewTestSender returns a sender with a window of so many packets and no limit of
// its rate.
func NewTestSender(seed byte, window int, emit func([]byte)) *TestSender {
	return NewParitySender(seed, window, 0, emit)
}

// NewParitySender is NewTestSender with parity of groups of so many.
func NewParitySender(seed byte, window, group int, emit func([]byte)) *TestSender {
	t := tsi{gsi: [6]byte{seed}, port: 40000 + uint16(seed)}
	s := newSender(t, 5555, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("239.1.1.1"), window, group, newBucket(1e9, 1500, 28), emit)
	return &TestSender{s}
}

func (s *TestSender) Start(now time.Duration)                    { s.m.start(now) }
func (s *TestSender) Tick(now time.Duration) time.Duration       { return s.m.tick(now) }
func (s *TestSender) Send(now time.Duration, data []byte) []byte { return s.m.send(now, data) }
func (s *TestSender) Input(now time.Duration, b []byte) bool     { return s.m.input(now, b) }
func (s *TestSender) End(now time.Duration)                      { s.m.spm(now, true) }
func (s *TestSender) Repairs() uint64                            { return s.m.repairs }
func (s *TestSender) Wait(now time.Duration) time.Duration       { return s.m.mayAdd(now) }
func (s *TestSender) SetRate(bytes float64)                      { s.m.limit(newBucket(bytes, 1500, 28)) }
func (s *TestSender) SetNext(sqn uint32)                         { s.m.next, s.m.trail = sqn, sqn }

// A TestReceiver is a receiver.
type TestReceiver struct {
	m        *receiver
	Counters transport.PacketCounters
	Blocked  bool // there is no room
}

// A TestDelivery is what it hands out.
type TestDelivery struct {
	Source uint64
	Data   string
	Lost   uint64
	Gone   bool
}

// NewTestReceiver returns a receiver.
func NewTestReceiver(seed uint64, window int, emit func([]byte), deliver func(TestDelivery)) *TestReceiver {
	r := &TestReceiver{}
	r.m = &receiver{
		dport: 5555, group: netip.MustParseAddr("239.1.1.1"), window: window, counters: &r.Counters,
		memory: newMemory(defaultMemory), sources: map[sourceKey]*source{}, rand: rand.New(rand.NewPCG(seed, 1)),
		emit: func(b []byte, _ netip.Addr) { emit(b) },
		deliver: func(d delivery) {
			out := TestDelivery{Source: d.source, Lost: d.lost, Gone: d.gone}
			if d.b != nil {
				out.Data = string(d.b.b)
			}
			deliver(out)
			r.m.release(d)
		},
		room: func() bool { return !r.Blocked },
	}
	return r
}

func (r *TestReceiver) Input(now time.Duration, b []byte, from string) {
	r.m.input(now, b, netip.AddrPortFrom(netip.MustParseAddr(from), 1))
}
func (r *TestReceiver) Tick(now time.Duration) time.Duration { return r.m.tick(now) }
func (r *TestReceiver) Sources() int                         { return len(r.m.sources) }

func (r *TestReceiver) SetLimit(bytes int) { r.m.memory = newMemory(bytes) }

// Used is how many bytes it says that it holds. It fails the test if that is not
// what it holds.
func (r *TestReceiver) Used(t testing.TB) int {
	m := &r.m.memory
	all, trial, proven := m.out, 0, 0
	for _, s := range r.m.sources {
		n := sourceCost
		if w := s.w; w != nil {
			n += len(w.slots) * slotCost
			for i := range w.slots {
				n += w.slots[i].b.cost()
			}
			require.LessOrEqual(t, len(w.timers), 2*len(w.slots)+firstSlots)
		} else if !s.gone {
			n += firstSlots * slotCost
		}
		n += s.parts.b.cost()
		if y := s.parity; y != nil {
			for _, b := range y.kept {
				n += b.cost()
			}
			for _, g := range y.groups {
				n += groupCost
				for _, b := range g.packets {
					n += b.cost()
				}
			}
		}
		require.Equal(t, n, s.used)
		all += n
		if s.proven {
			proven += m.proven.over(n)
		} else {
			trial += m.trial.over(n)
		}
	}
	require.Equal(t, proven, m.proven.used)
	require.Equal(t, trial, m.trial.used)
	require.Len(t, r.m.timers, len(r.m.sources))
	return all
}

// Slots is how many packets all windows have room for now.
func (r *TestReceiver) Slots() (n int) {
	for _, s := range r.m.sources {
		if s.w != nil {
			n += len(s.w.slots)
		}
	}
	return n
}

// AgeParity makes r take the beginning of what is kept for parity for one of half
// the numbers ago, as it is after so many packets if it stays.
func (r *TestReceiver) AgeParity() {
	for _, s := range r.m.sources {
		s.parity.from -= 1 << 31
	}
}

// A Packet is what parse reads.
type Packet struct {
	Type        byte
	Sqn         uint32
	Trail, Lead uint32
	List        []uint32
	Fin         bool
	Data        []byte
	SourcePort  uint16
	NLA, Group  netip.Addr
	ParityGroup uint32
}

// Parse reads b and, if it is of a type that we send, builds it anew.
func Parse(b []byte) (Packet, []byte, error) {
	var p packet
	if err := parse(b, &p); err != nil {
		return Packet{}, nil, err
	}
	out := Packet{p.typ, p.sqn, p.trail, p.lead, p.list, p.fin, p.data, p.sport, p.nla, p.group, p.parityGrp}
	t := tsi{p.gsi, p.sport}
	switch p.typ {
	case typeSPM:
		return out, appendSPM(nil, t, p.dport, p.sqn, p.trail, p.lead, p.nla, p.groupSize, p.fin), nil
	case typeODATA, typeRDATA:
		return out, appendData(nil, t, p.dport, p.typ, p.sqn, p.trail, p.data), nil
	case typeNAK:
		t.port = p.dport
		return out, appendNAK(nil, t, p.sport, p.typ, p.flags&optParity, p.nla, p.group, append([]uint32{p.sqn}, p.list...)), nil
	case typeNCF:
		return out, appendNAK(nil, t, p.dport, p.typ, p.flags&optParity, p.nla, p.group, append([]uint32{p.sqn}, p.list...)), nil
	}
	return out, nil, nil
}

// Checksum is the checksum of b.
func Checksum(b []byte) uint16 { return checksum(b) }

// Finish puts the checksum into b.
func Finish(b []byte) []byte { return finish(b, 0) }

// AppendFragment appends a data packet with OPT_FRAGMENT, and whatever else is in
// options, which are the TLVs behind OPT_LENGTH.
func AppendOptions(seed byte, sqn uint32, options, data []byte) []byte {
	t := tsi{gsi: [6]byte{seed}, port: 40000 + uint16(seed)}
	b := appendHeader(nil, t.port, 5555, typeODATA, optPresent, t.gsi, len(data))
	b = append(b, byte(sqn>>24), byte(sqn>>16), byte(sqn>>8), byte(sqn), 0, 0, 0, 0)
	n := 4 + len(options)
	b = append(b, 0, 4, byte(n>>8), byte(n))
	return finish(append(append(b, options...), data...), 0)
}

// AppendNAK is a request for repair to the TestSender of that seed.
func AppendNAK(seed byte, sqns []uint32) []byte {
	t := tsi{gsi: [6]byte{seed}, port: 40000 + uint16(seed)}
	return appendNAK(nil, t, 5555, typeNAK, 0, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("239.1.1.1"), sqns)
}

// AppendParityNAK is AppendNAK for parity.
func AppendParityNAK(seed byte, sqns []uint32) []byte {
	t := tsi{gsi: [6]byte{seed}, port: 40000 + uint16(seed)}
	return appendNAK(nil, t, 5555, typeNAK, optParity, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("239.1.1.1"), sqns)
}

// AppendSPM is an SPM of the TestSender of that seed, which offers parity of so many.
func AppendSPM(seed byte, sqn, trail, lead, group uint32) []byte {
	t := tsi{gsi: [6]byte{seed}, port: 40000 + uint16(seed)}
	return appendSPM(nil, t, 5555, sqn, trail, lead, netip.MustParseAddr("10.0.0.1"), group, false)
}

// AppendParity is parity packet j of a group of 16, with any data.
func AppendParity(seed byte, sqn, j uint32, vary bool, data []byte) []byte {
	t := tsi{gsi: [6]byte{seed}, port: 40000 + uint16(seed)}
	return appendParity(nil, t, 5555, sqn&^15, 0, int(j), 16, len(data), vary, func(b, _ []byte) { copy(b, data) })
}

// The code.

const (
	MinGroup = minGroup
	MaxGroup = maxGroup
	MaxBlock = maxBlock
)

var (
	Coefficients = coefficients
	Combine      = combine
)

// EncodeParity returns parity packet j of data, of so many bytes.
func EncodeParity(data [][]byte, j, size int) []byte {
	known := make([]byte, len(data))
	for i := range known {
		known[i] = byte(i)
	}
	return Decode(known, data, byte(len(data)+j), size)
}

// Decode returns the packet i of a block of which others are known.
func Decode(known []byte, packets [][]byte, i byte, size int) []byte {
	dst := make([]byte, size)
	combine(dst, coefficients(known, []byte{i})[0], packets)
	return dst
}
