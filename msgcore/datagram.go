package msgcore

import (
	"net/netip"
	"strings"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A datagramEncoder makes one packet of each message. Of RADIO it is the length
// of the group in one byte, the group and the body; of DGRAM (addressed) the body
// alone, for the address in the first frame. The socket has checked both.
type datagramEncoder struct {
	addressed bool
	first     []byte // frame of the message
	buf       []byte // of all packets
	list      []transport.Packet
	ends      []int // of each in buf

	text string // that to was read from
	to   netip.AddrPort
}

const datagramBytes = 128 << 10 // in one batch

func (e *datagramEncoder) add(flags byte, body []byte) {
	if flags&zmtp.FlagMore != 0 {
		e.first = append(e.first[:0], body...)
		return
	}
	var p transport.Packet
	if e.addressed {
		if string(e.first) != e.text {
			to, err := parsePeer(e.first)
			if err != nil {
				return
			}
			e.text, e.to = string(e.first), to
		}
		p.Peer = e.to
	} else {
		e.buf = append(append(e.buf, byte(len(e.first))), e.first...)
	}
	e.buf = append(e.buf, body...)
	e.list = append(e.list, p)
	e.ends = append(e.ends, len(e.buf))
}

func (e *datagramEncoder) packets(end bool) []transport.Packet {
	if len(e.list) == 0 || !end && len(e.list) < packetBatch && len(e.buf) < datagramBytes {
		return nil
	}
	at := 0
	for i, to := range e.ends {
		e.list[i].Data = e.buf[at:to]
		at = to
	}
	ps := e.list
	e.list, e.ends, e.buf = e.list[:0], e.ends[:0], e.buf[:0]
	return ps
}

// A datagramDecoder makes two frames of each packet: the group or the sender's
// address, and the body.
type datagramDecoder struct {
	addressed bool
	max       int64
	counters  *transport.PacketCounters
}

func (d *datagramDecoder) decode(dst []byte, p *transport.Packet) []byte {
	if d.addressed {
		if d.max > 0 && int64(len(p.Data)) > d.max {
			d.counters.Malformed.Add(1)
			return dst
		}
		at := len(dst)
		dst = append(dst, zmtp.FlagMore, 0)
		dst = p.Peer.AppendTo(dst)
		dst[at+1] = byte(len(dst) - at - 2)
		dst = zmtp.AppendHeader(dst, 0, len(p.Data))
		return append(dst, p.Data...)
	}
	if len(p.Data) == 0 || int(p.Data[0]) > len(p.Data)-1 || d.max > 0 && int64(len(p.Data)) > d.max {
		d.counters.Malformed.Add(1)
		return dst
	}
	n := int(p.Data[0])
	group, body := p.Data[1:1+n], p.Data[1+n:]
	dst = append(zmtp.AppendHeader(dst, zmtp.FlagMore, n), group...)
	return append(zmtp.AppendHeader(dst, 0, len(body)), body...)
}

// parsePeer reads the address of a DGRAM's message. libzmq's end with a zero byte.
func parsePeer(b []byte) (netip.AddrPort, error) {
	return netip.ParseAddrPort(strings.TrimSuffix(string(b), "\x00"))
}
