package msgcore

import (
	"encoding/binary"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A feed is what a publisher's messages are over ordered packets: one stream in
// the framing of ZMTP 1.0 (RFC 13) without a greeting, cut into packets. Each
// packet begins with the offset, behind these two bytes, at which the first
// message begins in it, so that whoever has missed something finds his way
// back.
const (
	feedHeader = 2
	noMessage  = 0xFFFF // as offset: none begins here
)

// A feedEncoder makes packets of messages.
type feedEncoder struct {
	size   int      // of a packet
	bufs   [][]byte // for as many packets as there have ever been at once
	full   int      // so many are full
	cur    []byte   // the one that is being filled; empty if there is none
	within bool     // the message has begun
	list   []transport.Packet
}

func newFeedEncoder(size int) *feedEncoder { return &feedEncoder{size: min(size, noMessage)} }

func (e *feedEncoder) add(flags byte, body []byte) {
	e.begin()
	if !e.within && e.cur[0] == 0xFF && e.cur[1] == 0xFF {
		binary.BigEndian.PutUint16(e.cur, uint16(len(e.cur)-feedHeader))
	}
	e.within = flags&zmtp.FlagMore != 0
	var hdr [10]byte
	e.append(appendFeedHeader(hdr[:0], e.within, len(body)))
	e.append(body)
}

// appendFeedHeader appends the header of a frame of n bytes.
func appendFeedHeader(dst []byte, more bool, n int) []byte {
	if n+1 < 0xFF {
		dst = append(dst, byte(n+1))
	} else {
		dst = binary.BigEndian.AppendUint64(append(dst, 0xFF), uint64(n)+1)
	}
	if more {
		return append(dst, zmtp.FlagMore)
	}
	return append(dst, 0)
}

// begin makes sure that a packet with room is being filled.
func (e *feedEncoder) begin() {
	if len(e.cur) > 0 && len(e.cur) < e.size {
		return
	}
	if len(e.cur) > 0 {
		e.finish()
	}
	if e.full == len(e.bufs) {
		e.bufs = append(e.bufs, make([]byte, e.size))
	}
	e.cur = append(e.bufs[e.full][:0], 0xFF, 0xFF)
}

func (e *feedEncoder) append(b []byte) {
	for len(b) > 0 {
		e.begin()
		n := min(len(b), e.size-len(e.cur))
		e.cur = append(e.cur, b[:n]...)
		b = b[n:]
	}
}

// finish ends the packet that is being filled.
func (e *feedEncoder) finish() {
	e.list = append(e.list, transport.Packet{Data: e.cur})
	e.full++
	e.cur = nil
}

func (e *feedEncoder) packets(end bool) []transport.Packet {
	if end && len(e.cur) > 0 {
		e.finish()
	}
	if !end && e.full < packetBatch {
		return nil
	}
	if len(e.cur) > 0 { // it goes on being filled, ahead of the buffers that are free again
		e.bufs[0], e.bufs[e.full] = e.bufs[e.full], e.bufs[0]
	}
	ps := e.list
	e.list, e.full = e.list[:0], 0
	return ps
}
