package msgcore

import (
	"encoding/binary"
	"math"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A feedDecoder makes messages of the packets of any number of publishers, whose
// streams it keeps apart. It begins with each at the first message that begins
// in a packet, and again after each loss.
type feedDecoder struct {
	limit    int64 // of a message, in bytes
	counters *transport.PacketCounters
	lost     func(n uint64)
	streams  map[uint64]*feedStream
	held     int64 // bytes of all that is unfinished
}

// A feedStream is what is unfinished of one publisher.
type feedStream struct {
	joined bool
	hdr    []byte // of a frame, not yet whole
	need   uint64 // bytes that are missing of the frame's body
	more   bool   // that frame has MORE
	msg    []byte // the message, so far, in ZMTP framing
	frames int
	size   int64
}

// feedLimit bounds a message where MaxMessage does not: anybody on the network
// can claim to be a publisher. feedTotal bounds all that is unfinished together,
// unless one message may be larger.
const (
	feedLimit = 256 << 20
	feedTotal = 64 << 20
)

func newFeedDecoder(maxMessage int64, counters *transport.PacketCounters, lost func(uint64)) *feedDecoder {
	d := &feedDecoder{limit: maxMessage, counters: counters, lost: lost, streams: map[uint64]*feedStream{}}
	if d.limit == 0 || d.limit > math.MaxInt64-feedSlack {
		d.limit = feedLimit
	}
	return d
}

func (d *feedDecoder) decode(dst []byte, p *transport.Packet) []byte {
	st := d.streams[p.Source]
	if p.Gone {
		if st != nil {
			d.held -= int64(len(st.msg))
			delete(d.streams, p.Source)
		}
		return dst
	}
	if st == nil {
		st = &feedStream{}
		d.streams[p.Source] = st
	}
	d.held -= int64(len(st.msg))
	dst = d.decodeFor(st, dst, p)
	d.held += int64(len(st.msg))
	if d.held > max(d.limit, feedTotal)+feedSlack {
		d.giveUpLargest()
	}
	return dst
}

// feedSlack is for the headers of the largest message.
const feedSlack = 1 << 20

// giveUpLargest makes the stream whose unfinished message is the largest begin
// anew: it is rather a forged one than others are.
func (d *feedDecoder) giveUpLargest() {
	var largest *feedStream
	for _, st := range d.streams {
		if largest == nil || len(st.msg) > len(largest.msg) {
			largest = st
		}
	}
	d.held -= int64(len(largest.msg))
	largest.leave()
	d.counters.Refused.Add(1)
}

func (d *feedDecoder) decodeFor(st *feedStream, dst []byte, p *transport.Packet) []byte {
	if p.Lost > 0 {
		st.leave()
		d.lost(p.Lost)
	}
	if p.Data == nil {
		return dst
	}
	if len(p.Data) < feedHeader {
		return d.malformed(st, dst)
	}
	data := p.Data[feedHeader:]
	if !st.joined {
		at := int(binary.BigEndian.Uint16(p.Data))
		switch {
		case at == noMessage:
			return dst
		case at > len(data):
			return d.malformed(st, dst)
		}
		st.joined = true
		data = data[at:]
	}
	dst, ok := d.walk(st, dst, data)
	if !ok {
		return d.malformed(st, dst)
	}
	return dst
}

// leave forgets what is unfinished and waits for the beginning of a message.
func (st *feedStream) leave() {
	st.forget()
	*st = feedStream{msg: st.msg, hdr: st.hdr[:0]}
}

// forget empties msg, and keeps no large one.
func (st *feedStream) forget() {
	if st.msg = st.msg[:0]; cap(st.msg) > maxBatchBytes {
		st.msg = nil
	}
}

func (d *feedDecoder) malformed(st *feedStream, dst []byte) []byte {
	st.leave()
	d.counters.Malformed.Add(1)
	return dst
}

// walk appends what data completes to dst.
func (d *feedDecoder) walk(st *feedStream, dst, data []byte) ([]byte, bool) {
	for len(data) > 0 {
		if st.need > 0 {
			n := min(st.need, uint64(len(data)))
			st.msg = append(st.msg, data[:n]...)
			st.need -= n
			data = data[n:]
			if st.need == 0 {
				dst = st.ended(dst)
			}
			continue
		}
		n, more, size, ok := feedHeaderAt(st.hdr, data)
		switch {
		case !ok:
			return dst, false
		case size == 0: // not all of it is here
			st.hdr = append(st.hdr, data...)
			return dst, true
		}
		data = data[size-len(st.hdr):]
		st.hdr = st.hdr[:0]
		st.frames++
		if st.frames > freeFrames {
			st.size += frameCost
		}
		if n > uint64(d.limit) || st.size+int64(n) > d.limit {
			return dst, false
		}
		st.size += int64(n)
		if !more && len(st.msg) == 0 && n <= uint64(len(data)) { // most messages
			dst = append(zmtp.AppendHeader(dst, 0, int(n)), data[:n]...)
			data = data[n:]
			st.frames, st.size = 0, 0
			continue
		}
		var flags byte
		if more {
			flags = zmtp.FlagMore
		}
		st.msg = zmtp.AppendHeader(st.msg, flags, int(n))
		st.need, st.more = n, more
		if n == 0 {
			dst = st.ended(dst)
		}
	}
	return dst, true
}

// ended is called when a frame is whole.
func (st *feedStream) ended(dst []byte) []byte {
	if st.more {
		return dst
	}
	dst = append(dst, st.msg...)
	st.forget()
	st.frames, st.size = 0, 0
	return dst
}

// feedHeaderAt reads the header of a frame, of which begun has come before. Size
// is that of the header, 0 if it is not all here.
func feedHeaderAt(begun, data []byte) (n uint64, more bool, size int, ok bool) {
	var hdr [10]byte
	have := copy(hdr[:], begun)
	have += copy(hdr[have:], data)
	if have == 0 {
		return 0, false, 0, true
	}
	size = 2
	n = uint64(hdr[0])
	if hdr[0] == 0xFF {
		size = 10
		n = binary.BigEndian.Uint64(hdr[1:])
	}
	if have < size {
		return 0, false, 0, hdr[0] != 0
	}
	return n - 1, hdr[size-1]&zmtp.FlagMore != 0, size, n > 0
}
