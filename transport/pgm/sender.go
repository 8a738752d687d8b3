package pgm

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// A sender is the sending side of a session (RFC 3208 section 5), without I/O
// and without a clock: it is told the time, counted from anywhere, and says
// what is to be sent.
type sender struct {
	tsi   tsi
	dport uint16
	nla   netip.Addr // of ours
	group netip.Addr
	emit  func(b []byte) // sends a control packet or a repair to the group; it keeps nothing of b

	slots []sent // the window
	first int    // the place of trail in it
	trail uint32 // the oldest in the window
	next  uint32 // the number of the next packet

	spmSqn  uint32
	spmAt   time.Duration // when the next SPM is due
	beat    int           // in heartbeats
	lastSPM time.Duration
	bucket  bucket
	ncfs    bucket // of confirmations alone

	parity *offer // nil if none is offered

	quiet   time.Duration // since when nobody has asked for repair, and nothing was sent
	asked   []request     // to be answered, from asked[done:] on, each once
	done    int
	ahead   float64 // bytes of repairs, at most bucket.size/2, that new packets have not made up for
	waits   bool    // a new packet waits
	repairs uint64
	p       packet // scratch
	buf     []byte // scratch
}

// A sent packet is kept for repair.
type sent struct {
	b        []byte // whole
	repaired time.Duration
	asked    bool // its repair waits
}

// A request is for the packet with that number, or for parity of the group that
// begins with it.
type request struct {
	sqn    uint32
	parity bool
}

// heartbeats are the pauses between SPMs after data was sent (section 5.1.5), as
// libzmq has them; the last one goes on.
var heartbeats = [...]time.Duration{
	100 * time.Millisecond, 100 * time.Millisecond, 100 * time.Millisecond, 100 * time.Millisecond,
	1300 * time.Millisecond, 7 * time.Second, 16 * time.Second, 25 * time.Second, ambient,
}

const (
	ambient    = 30 * time.Second
	firstSPMs  = 3
	repairOnce = 20 * time.Millisecond // a number is not repaired twice within
	spmrOnce   = 50 * time.Millisecond // nor SPMRs answered
	leastPause = 200 * time.Microsecond
)

// newSender returns a sender whose window holds so many packets. It offers parity of
// groups of so many, a power of two by which the window can be divided, or with 0
// none.
func newSender(t tsi, dport uint16, nla, group netip.Addr, window, parity int, b bucket, emit func([]byte)) *sender {
	s := &sender{
		tsi: t, dport: dport, nla: nla, group: group, emit: emit,
		slots: make([]sent, window),
	}
	s.limit(b)
	if parity > 0 {
		s.parity = newOffer(parity, window)
	}
	return s
}

// Confirmations go out beyond the rate, as who is not answered asks again and again.
// But whoever asks without end is not to fill the network of all members with them:
// they may have a quarter of the rate, or leastNCFs if that is more. Beyond, requests
// are answered, but not confirmed. (SPMs are few in any case.)
const (
	ncfShare  = 4
	leastNCFs = 64 << 10 // bytes a second
)

// limit sets the rate.
func (s *sender) limit(b bucket) {
	rate := max(b.rate/ncfShare, leastNCFs)
	s.bucket, s.ncfs = b, bucket{rate: rate, size: rate / 2, level: rate / 2, extra: b.extra}
}

// start announces the session.
func (s *sender) start(now time.Duration) {
	s.beat = len(heartbeats) - 1
	for range firstSPMs {
		s.spm(now, false)
	}
}

// spm sends an SPM, and plans the next one.
func (s *sender) spm(now time.Duration, fin bool) {
	s.buf = appendSPM(s.buf[:0], s.tsi, s.dport, s.spmSqn, s.trail, s.next-1, s.nla, s.parity.size(), fin)
	s.spmSqn++
	s.lastSPM, s.spmAt = now, now+heartbeats[s.beat]
	if s.beat < len(heartbeats)-1 {
		s.beat++
	}
	s.bucket.control(len(s.buf))
	s.emit(s.buf)
}

// tick does what is due, and returns when something is again.
func (s *sender) tick(now time.Duration) time.Duration {
	if now >= s.spmAt {
		s.spm(now, false)
	}
	return min(s.spmAt, s.repair(now))
}

// repair sends again what was asked for, as far as the rate allows, and returns
// when to go on.
func (s *sender) repair(now time.Duration) time.Duration {
	for s.done < len(s.asked) {
		if wait := s.bucket.wait(now); wait > 0 {
			if s.done > len(s.asked)/2 {
				s.asked, s.done = append(s.asked[:0], s.asked[s.done:]...), 0
			}
			return now + max(wait, leastPause)
		}
		if s.waits && s.ahead >= s.bucket.size/2 {
			return now + time.Millisecond // one that asks for much holds up nobody for long
		}
		more := false
		switch q := s.asked[s.done]; {
		case !s.has(q.sqn): // it has left the window meanwhile
			s.done++
			continue
		case q.parity:
			more = s.appendParity(now, q.sqn)
		default:
			slot := s.slot(q.sqn)
			slot.asked, slot.repaired = false, now
			s.buf = append(s.buf[:0], slot.b...)
			s.buf[4] = typeRDATA
			binary.BigEndian.PutUint32(s.buf[headerSize+4:], s.trail)
			finish(s.buf, 0)
		}
		if !more {
			s.done++
		}
		s.bucket.take(len(s.buf))
		s.repairs++
		s.ahead = min(s.ahead+float64(len(s.buf))/repairShare, s.bucket.size/2)
		s.quiet = now
		s.emit(s.buf)
	}
	s.asked, s.done = s.asked[:0], 0
	return never
}

// repairShare is how many bytes of repairs go out for each of new packets while both
// wait. It is more than one because receivers that cannot keep up miss more if new
// packets come all the same, and not without bound because one that asks for much,
// or for anything at all, is not to stop the others.
const repairShare = 3

// mayAdd says how long to wait until a new packet may be sent, which is to be asked
// again then.
func (s *sender) mayAdd(now time.Duration) time.Duration {
	wait := s.bucket.wait(now)
	if len(s.asked) > 0 && s.ahead <= 0 {
		wait = max(wait, time.Millisecond)
	}
	s.waits = wait > 0
	return wait
}

// send makes a data packet of data, puts it into the window and returns it; it
// stays valid until len(slots) others were sent.
func (s *sender) send(now time.Duration, data []byte) []byte {
	if s.next-s.trail == uint32(len(s.slots)) {
		n := max(1, s.parity.size()) // a group leaves as a whole
		s.trail += n
		s.first = (s.first + int(n)) % len(s.slots)
	}
	if s.parity != nil {
		s.parity.begin(s)
	}
	slot := s.slot(s.next)
	if n := dataSize + len(data); cap(slot.b) < n {
		slot.b = make([]byte, 0, n)
	}
	slot.b = appendData(slot.b[:0], s.tsi, s.dport, typeODATA, s.next, s.trail, data)
	slot.repaired, slot.asked = -repairOnce, false
	s.next++
	if s.ahead -= float64(len(slot.b)); len(s.asked) == 0 {
		s.ahead = max(s.ahead, 0)
	}
	s.beat = 0
	// While data flows there is one now and then, too: libzmq gives up what it
	// misses for as long as it has heard none.
	s.spmAt = min(s.spmAt, now+heartbeats[0])
	s.quiet = now
	s.bucket.take(len(slot.b))
	return slot.b
}

// has reports whether the window has sqn.
func (s *sender) has(sqn uint32) bool { return sqn-s.trail < s.next-s.trail }

// slot is the place of sqn, which is in the window or comes next.
func (s *sender) slot(sqn uint32) *sent { return &s.slots[s.place(sqn)] }

func (s *sender) place(sqn uint32) int { return (s.first + int(sqn-s.trail)) % len(s.slots) }

// input takes a packet that has come, and reports whether it was understood.
func (s *sender) input(now time.Duration, b []byte) bool {
	p := &s.p
	if err := parse(b, p); err != nil {
		return false
	}
	if p.gsi != s.tsi.gsi || p.dport != s.tsi.port || p.sport != s.dport {
		return true // of another session
	}
	switch p.typ {
	case typeNAK:
		if p.nla == s.nla && p.group == s.group && (p.flags&optParity == 0 || s.parity != nil) {
			s.quiet = now
			s.nak(now, p)
		}
	case typeSPMR:
		if now-s.lastSPM >= spmrOnce {
			s.spm(now, false)
		}
	}
	return true
}

// nak confirms what is asked for, as far as it is in the window, and sends it
// again (section 5.3).
func (s *sender) nak(now time.Duration, p *packet) {
	p.list = append(p.list, p.sqn)
	n := len(p.list)
	copy(p.list[1:], p.list[:n-1])
	p.list[0] = p.sqn
	parity := p.flags & optParity
	known := p.list[:0]
	for _, sqn := range p.list {
		if parity == 0 && s.has(sqn) || parity != 0 && s.offers(sqn) {
			known = append(known, sqn)
		}
	}
	if len(known) == 0 {
		// The receiver learns by an SPM that it is too late.
		if now-s.lastSPM >= spmrOnce {
			s.spm(now, false)
		}
		return
	}
	if s.ncfs.wait(now) == 0 {
		s.buf = appendNAK(s.buf[:0], s.tsi, s.dport, typeNCF, parity, s.nla, s.group, known)
		s.ncfs.take(len(s.buf))
		s.bucket.control(len(s.buf))
		s.emit(s.buf)
	}
	for _, sqn := range known {
		if parity != 0 {
			s.askParity(now, sqn)
		} else if slot := s.slot(sqn); !slot.asked && now-slot.repaired >= repairOnce { // or it is on its way
			slot.asked = true
			s.asked = append(s.asked, request{sqn: sqn})
		}
	}
	s.repair(now)
}

// A bucket limits a rate: what is taken out comes back with time.
type bucket struct {
	rate   float64 // bytes a second
	size   float64
	level  float64 // may be below 0, by less than a packet
	filled time.Duration
	extra  int // bytes of IP and UDP headers for each packet
}

// newBucket returns a bucket for so many bytes a second, which lets 10 ms worth
// through at once, or two packets.
func newBucket(rate float64, packet, extra int) bucket {
	size := max(rate/100, float64(2*packet))
	return bucket{rate: rate, size: size, level: size, extra: extra}
}

// wait says how long to wait until a data packet may be sent.
func (b *bucket) wait(now time.Duration) time.Duration {
	if now > b.filled {
		b.level = min(b.size, b.level+b.rate*(now-b.filled).Seconds())
		b.filled = now
	}
	if b.level > 0 {
		return 0
	}
	return max(time.Duration((1-b.level)/b.rate*float64(time.Second)), time.Microsecond)
}

// take accounts for a packet of n bytes.
func (b *bucket) take(n int) { b.level -= float64(n + b.extra) }

// control accounts for a control packet of n bytes. These do not wait, and run up no
// debt: however many ask, repairs and data go on.
func (b *bucket) control(n int) { b.level = max(b.level-float64(n+b.extra), min(b.level, 0)) }
