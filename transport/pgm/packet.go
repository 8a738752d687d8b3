package pgm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
)

// Types of packets (RFC 3208 section 8.1).
const (
	typeSPM   = 0x00
	typePOLL  = 0x01
	typePOLR  = 0x02
	typeODATA = 0x04
	typeRDATA = 0x05
	typeNAK   = 0x08
	typeNNAK  = 0x09
	typeNCF   = 0x0A
	typeSPMR  = 0x0C
	typeACK   = 0x0D
)

// Bits of the options field (section 8.1).
const (
	optPresent = 0x01
	optNetwork = 0x02
	optVarLen  = 0x40
	optParity  = 0x80
)

// Options (section 9). Their first byte has endBit when no other follows.
const (
	optionLength   = 0x00
	optionFragment = 0x01
	optionNakList  = 0x02
	optionJoin     = 0x03
	optionParity   = 0x08 // OPT_PARITY_PRM: what parity a sender offers
	optionGroup    = 0x09 // OPT_PARITY_GRP: further parity packets of a group
	optionSyn      = 0x0D
	optionFin      = 0x0E
	optionRst      = 0x0F
	endBit         = 0x80
	encodedBit     = 0x04 // what an option says is itself parity
	opxMask        = 0x03
	opxDiscard     = 0x02 // and 3: a packet whose option is not known is dropped
	onDemand       = 0x01 // parity is sent when it is asked for
)

const (
	headerSize   = 16
	dataSize     = headerSize + 8
	fragmentSize = 4 + 16 // OPT_LENGTH and OPT_FRAGMENT
	maxNakList   = 62     // sequence numbers besides the first
	afiIPv4      = 1
	afiIPv6      = 2
)

// A tsi names a session of a sender: its global source id and its port.
type tsi struct {
	gsi  [6]byte
	port uint16
}

// A packet is a parsed one. Slices lie in the bytes it was parsed from, but for
// list.
type packet struct {
	sport, dport uint16
	typ          byte
	flags        byte
	gsi          [6]byte

	sqn   uint32 // of the SPM, or of the data, or the first that is asked for
	trail uint32 // of the sender's window
	lead  uint32
	nla   netip.Addr // of the source
	group netip.Addr
	list  []uint32 // further numbers that are asked for

	fragment bool   // a part of a larger unit
	first    uint32 // the number of its first part
	offset   uint32
	length   uint32 // of the whole

	fin  bool
	data []byte

	groupSize uint32 // packets in a group, if parity of it is to be had on demand
	parityGrp uint32 // added to a parity packet's number, times the size of a group
	encoded   bool   // there are options that are parity of those of the packets
}

var (
	errShort    = errors.New("too short")
	errChecksum = errors.New("the checksum is wrong")
	errLength   = errors.New("a length that does not fit")
	errDiscard  = errors.New("an option that is not known says to discard it")
	errAddress  = errors.New("an address of no known family")
)

// parse reads b into p, whose list is reused.
func parse(b []byte, p *packet) error {
	*p = packet{list: p.list[:0]}
	if len(b) < headerSize {
		return errShort
	}
	be := binary.BigEndian
	p.sport, p.dport = be.Uint16(b), be.Uint16(b[2:])
	p.typ, p.flags = b[4]&0x3F, b[5]
	copy(p.gsi[:], b[8:14])
	size := int(be.Uint16(b[14:]))
	if b[4]&0xC0 != 0 {
		return fmt.Errorf("version %d", b[4]>>6)
	}
	if sum := be.Uint16(b[6:]); sum == 0 {
		if p.typ == typeODATA || p.typ == typeRDATA {
			return errChecksum // it is not optional here (section 8)
		}
	} else if checksum(b) != 0xFFFF {
		return errChecksum
	}
	rest := b[headerSize:]
	var err error
	switch p.typ {
	case typeSPM:
		if len(rest) < 12 {
			return errShort
		}
		p.sqn, p.trail, p.lead = be.Uint32(rest), be.Uint32(rest[4:]), be.Uint32(rest[8:])
		p.nla, rest, err = parseNLA(rest[12:])
	case typeODATA, typeRDATA:
		if len(rest) < 8 {
			return errShort
		}
		p.sqn, p.trail = be.Uint32(rest), be.Uint32(rest[4:])
		rest = rest[8:]
	case typeNAK, typeNNAK, typeNCF:
		if len(rest) < 4 {
			return errShort
		}
		p.sqn = be.Uint32(rest)
		if p.nla, rest, err = parseNLA(rest[4:]); err == nil {
			p.group, rest, err = parseNLA(rest)
		}
	case typeSPMR:
	default:
		return nil // known to others: passed over
	}
	if err != nil {
		return err
	}
	if p.flags&optPresent != 0 {
		if rest, err = p.parseOptions(rest); err != nil {
			return err
		}
	}
	if p.typ == typeODATA || p.typ == typeRDATA {
		if len(rest) != size {
			return errLength
		}
		p.data = rest
		if p.fragment && (p.offset > p.length || uint32(size) > p.length-p.offset) {
			return errLength
		}
	}
	return nil
}

func parseNLA(b []byte) (netip.Addr, []byte, error) {
	if len(b) < 8 {
		return netip.Addr{}, nil, errShort
	}
	switch binary.BigEndian.Uint16(b) {
	case afiIPv4:
		return netip.AddrFrom4([4]byte(b[4:8])), b[8:], nil
	case afiIPv6:
		if len(b) < 20 {
			return netip.Addr{}, nil, errShort
		}
		return netip.AddrFrom16([16]byte(b[4:20])), b[20:], nil
	}
	return netip.Addr{}, nil, errAddress
}

// parseOptions reads the options at the beginning of b (section 9.1) and returns
// what follows them.
func (p *packet) parseOptions(b []byte) ([]byte, error) {
	be := binary.BigEndian
	if len(b) < 4 || b[0]&^endBit != optionLength || b[1] != 4 {
		return nil, errLength
	}
	total := int(be.Uint16(b[2:]))
	if total < 4 || total > len(b) {
		return nil, errLength
	}
	rest := b[total:]
	for b = b[4:total]; len(b) > 0; {
		if len(b) < 4 || int(b[1]) < 4 || int(b[1]) > len(b) {
			return nil, errLength
		}
		o := b[:b[1]]
		b = b[len(o):]
		if o[0]&endBit != 0 && len(b) > 0 {
			return nil, errLength
		}
		if p.flags&optParity != 0 && o[2]&encodedBit != 0 {
			p.encoded = true
			continue
		}
		switch kind := o[0] &^ endBit; kind {
		case optionFragment:
			if len(o) != 16 {
				return nil, errLength
			}
			p.fragment = true
			p.first, p.offset, p.length = be.Uint32(o[4:]), be.Uint32(o[8:]), be.Uint32(o[12:])
		case optionNakList:
			if len(o)%4 != 0 || len(o) > 4+4*maxNakList {
				return nil, errLength
			}
			for o = o[4:]; len(o) > 0; o = o[4:] {
				p.list = append(p.list, be.Uint32(o))
			}
		case optionParity:
			if len(o) != 8 {
				return nil, errLength
			}
			if o[3]&onDemand != 0 {
				p.groupSize = be.Uint32(o[4:])
			}
		case optionGroup:
			if len(o) != 8 {
				return nil, errLength
			}
			p.parityGrp = be.Uint32(o[4:])
		case optionFin:
			p.fin = true
		case optionJoin, optionSyn, optionRst:
		default:
			if o[2]&opxMask >= opxDiscard {
				return nil, errDiscard
			}
		}
	}
	return rest, nil
}

// appendHeader appends a header; finish puts the checksum in.
func appendHeader(dst []byte, sport, dport uint16, typ, flags byte, gsi [6]byte, size int) []byte {
	be := binary.BigEndian
	dst = be.AppendUint16(be.AppendUint16(dst, sport), dport)
	dst = append(dst, typ, flags, 0, 0)
	dst = append(dst, gsi[:]...)
	return be.AppendUint16(dst, uint16(size))
}

func appendNLA(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		return append(append(dst, 0, afiIPv4, 0, 0), a.AsSlice()...)
	}
	return append(append(dst, 0, afiIPv6, 0, 0), a.AsSlice()...)
}

// appendSPM appends a source path message (section 8.2) of t. Group is the size of
// the groups for which parity is to be had, 0 without; fin says that the session ends.
func appendSPM(dst []byte, t tsi, dport uint16, sqn, trail, lead uint32, nla netip.Addr, group uint32, fin bool) []byte {
	be, at := binary.BigEndian, len(dst)
	var flags byte
	if fin {
		flags = optPresent
	}
	if group > 0 {
		flags = optPresent | optNetwork
	}
	dst = appendHeader(dst, t.port, dport, typeSPM, flags, t.gsi, 0)
	dst = be.AppendUint32(be.AppendUint32(be.AppendUint32(dst, sqn), trail), lead)
	dst = appendNLA(dst, nla)
	if flags == 0 {
		return finish(dst, at)
	}
	options := len(dst)
	dst = append(dst, optionLength, 4, 0, 0)
	last := len(dst)
	if group > 0 {
		// The bits P and O are as RFC 3208 draws them; OpenPGM and Wireshark have them the
		// other way round.
		dst = be.AppendUint32(append(dst, optionParity, 8, 0, onDemand), group)
	}
	if fin {
		last = len(dst)
		dst = append(dst, optionFin, 4, 0, 0)
	}
	dst[last] |= endBit
	be.PutUint16(dst[options+2:], uint16(len(dst)-options))
	return finish(dst, at)
}

// appendData appends a data packet (section 8.3).
func appendData(dst []byte, t tsi, dport uint16, typ byte, sqn, trail uint32, data []byte) []byte {
	be, at := binary.BigEndian, len(dst)
	dst = appendHeader(dst, t.port, dport, typ, 0, t.gsi, len(data))
	dst = be.AppendUint32(be.AppendUint32(dst, sqn), trail)
	return finish(append(dst, data...), at)
}

// appendNAK appends a request for repair, or its confirmation (section 8.4): of
// sqns, at least one and at most 1+maxNakList. A NAK goes upstream, so that its
// ports are the other way round. Flags are 0, or optParity if it is about parity.
func appendNAK(dst []byte, t tsi, dport uint16, typ, flags byte, nla, group netip.Addr, sqns []uint32) []byte {
	be, at := binary.BigEndian, len(dst)
	if len(sqns) > 1 {
		flags |= optPresent | optNetwork
	}
	from, to := t.port, dport
	if typ == typeNAK {
		from, to = to, from
	}
	dst = appendHeader(dst, from, to, typ, flags, t.gsi, 0)
	dst = be.AppendUint32(dst, sqns[0])
	dst = appendNLA(appendNLA(dst, nla), group)
	if list := sqns[1:]; len(list) > 0 {
		n := 4 + 4*len(list)
		dst = append(dst, optionLength, 4, 0, byte(4+n), optionNakList|endBit, byte(n), 0, 0)
		binary.BigEndian.PutUint16(dst[len(dst)-6:], uint16(4+n))
		for _, s := range list {
			dst = be.AppendUint32(dst, s)
		}
	}
	return finish(dst, at)
}

// appendSPMR appends a request for an SPM (section 13.3.1).
func appendSPMR(dst []byte, t tsi, dport uint16) []byte {
	at := len(dst)
	return finish(appendHeader(dst, dport, t.port, typeSPMR, 0, t.gsi, 0), at)
}

// finish puts the checksum into the packet at dst[at:].
func finish(dst []byte, at int) []byte {
	b := dst[at:]
	b[6], b[7] = 0, 0
	sum := ^checksum(b)
	if sum == 0 {
		sum = 0xFFFF // 0 says that there is none
	}
	binary.BigEndian.PutUint16(b[6:], sum)
	return dst
}

// checksum returns the one's complement sum of b as 16-bit words (RFC 1071).
func checksum(b []byte) uint16 {
	be := binary.BigEndian
	var sum, carry uint64
	for len(b) >= 32 { // the carries go from one addition to the next
		sum, carry = bits.Add64(sum, be.Uint64(b), carry)
		sum, carry = bits.Add64(sum, be.Uint64(b[8:]), carry)
		sum, carry = bits.Add64(sum, be.Uint64(b[16:]), carry)
		sum, carry = bits.Add64(sum, be.Uint64(b[24:]), carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		sum, carry = bits.Add64(sum, be.Uint64(b), carry)
		b = b[8:]
	}
	sum = sum>>32 + sum&0xFFFFFFFF + carry
	for len(b) >= 2 {
		sum += uint64(b[0])<<8 | uint64(b[1])
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	return uint16(sum)
}

// before reports whether sequence number a comes before b (section 4.2: they
// wrap).
func before(a, b uint32) bool { return int32(a-b) < 0 }
