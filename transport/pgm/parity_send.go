package pgm

import (
	"encoding/binary"
	"time"
)

// An offer is the parity that a sender has on demand (RFC 3208 section 11.4): its
// packets make groups of k, which begin where the number can be divided by k. For a
// group that is whole, it computes and sends as many parity packets as are asked for,
// each a new one as long as there are any. Each repairs whatever packet of the group
// a receiver misses. The window begins with a whole group.
type offer struct {
	k      uint32
	groups []offered // of the window, in the order of its slots
	coefs  [][]byte  // of the parity packets that were made so far, by their numbers

	known    []byte   // scratch
	payloads [][]byte // scratch
	lengths  [][]byte // scratch
}

// An offered group is one of the window.
type offered struct {
	next    int           // number of the parity packet to send next
	pending int           // how many are to be sent
	queued  bool          // they are among what is asked for
	recent  int           // how many were sent since
	since   time.Duration // when a request came
}

func newOffer(k, window int) *offer {
	o := &offer{k: uint32(k), groups: make([]offered, window/k), coefs: make([][]byte, maxBlock-k)}
	for i := range k {
		o.known = append(o.known, byte(i))
	}
	o.payloads, o.lengths = make([][]byte, k), make([][]byte, k)
	for i := range o.lengths {
		o.lengths[i] = make([]byte, 2)
	}
	return o
}

// size is how many packets a group has; 0 if there is no offer.
func (o *offer) size() uint32 {
	if o == nil {
		return 0
	}
	return o.k
}

// begin takes note of a group that begins with the next packet of s.
func (o *offer) begin(s *sender) {
	if s.next%o.k == 0 {
		*s.offered(s.next) = offered{}
	}
}

// offered is the group of sqn, which is in the window or comes next.
func (s *sender) offered(sqn uint32) *offered {
	return &s.parity.groups[s.place(sqn)/int(s.parity.k)]
}

// offers reports whether there is parity for the group of sqn: it is in the window,
// and whole.
func (s *sender) offers(sqn uint32) bool {
	base := sqn &^ (s.parity.k - 1)
	return s.has(base) && s.has(base+s.parity.k-1)
}

// askParity sees to it that as many parity packets are sent as the request sqn says:
// its low bits are the number that is missing, less 1. Those that wait to be sent
// count, and so do those that were sent moments ago, which others have asked for.
func (s *sender) askParity(now time.Duration, sqn uint32) {
	k := s.parity.k
	base, n := sqn&^(k-1), int(sqn&(k-1))+1
	g := s.offered(base)
	if !g.queued && now-g.since >= repairOnce {
		g.recent, g.since = 0, now
	}
	g.pending = max(g.pending, n-g.recent)
	if g.pending > 0 && !g.queued {
		g.queued = true
		s.asked = append(s.asked, request{base, true})
	}
}

// appendParity puts the next parity packet of the group that begins with base into
// s.buf. It reports whether more are to be sent.
func (s *sender) appendParity(now time.Duration, base uint32) (more bool) {
	o := s.parity
	g := s.offered(base)
	j := g.next
	g.next = (j + 1) % len(o.coefs)
	g.pending--
	g.recent++
	g.since = now
	g.queued = g.pending > 0
	if o.coefs[j] == nil {
		o.coefs[j] = coefficients(o.known, []byte{byte(int(o.k) + j)})[0]
	}

	size, vary := 0, false
	for i := range o.payloads {
		b := s.slot(base + uint32(i)).b[dataSize:]
		o.payloads[i] = b
		binary.BigEndian.PutUint16(o.lengths[i], uint16(len(b)))
		vary = vary || i > 0 && len(b) != len(o.payloads[0])
		size = max(size, len(b))
	}
	s.buf = appendParity(s.buf[:0], s.tsi, s.dport, base, s.trail, j, int(o.k), size, vary, func(data, length []byte) {
		combine(data, o.coefs[j], o.payloads)
		if vary {
			combine(length, o.coefs[j], o.lengths)
		}
	})
	return g.queued
}

// appendParity appends parity packet j of the group of k that begins with base. Fill
// computes it: size bytes and, if the packets of the group vary in length, that of
// their lengths.
func appendParity(dst []byte, t tsi, dport uint16, base, trail uint32, j, k, size int, vary bool, fill func(data, length []byte)) []byte {
	be, at := binary.BigEndian, len(dst)
	flags, n := byte(optParity), size
	if vary {
		flags |= optVarLen
		n += 2
	}
	if j >= k {
		flags |= optPresent
	}
	dst = appendHeader(dst, t.port, dport, typeRDATA, flags, t.gsi, n)
	dst = be.AppendUint32(be.AppendUint32(dst, base+uint32(j%k)), trail)
	if j >= k {
		dst = append(dst, optionLength, 4, 0, 12, optionGroup|endBit, 8, 0, 0)
		dst = be.AppendUint32(dst, uint32(j/k))
	}
	head := len(dst)
	dst = append(dst, make([]byte, n)...)
	fill(dst[head:head+size], dst[head+size:])
	return finish(dst, at)
}
