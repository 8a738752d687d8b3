package pgm

// A fragment says which part of a larger unit a packet is (RFC 3208 section 9.3).
type fragment struct {
	first  uint32 // the number of the first part
	offset uint32
	length uint32 // of the unit
}

// maxUnit bounds what is put together, in bytes.
const maxUnit = 16 << 20

// parts puts a unit together whose parts are handed out in order. libzmq and this
// package send none, other senders may.
type parts struct {
	b      *buffer
	first  uint32
	length uint32
}

func (u *parts) reset() {
	u.b.free()
	*u = parts{}
}

// add takes the part with number sqn, which lies in b. ok says that it fits; a
// whole unit is returned.
func (u *parts) add(sqn uint32, f *fragment, b *buffer, data []byte) (unit *buffer, whole []byte, ok bool) {
	defer b.free()
	if f.offset == 0 && f.first == sqn && f.length <= maxUnit {
		u.reset()
		u.b, u.first, u.length = newBuffer(0), sqn, f.length
	}
	if u.b == nil || f.first != u.first || f.length != u.length || int(f.offset) != len(u.b.b) {
		u.reset()
		return nil, nil, false
	}
	u.b.b = append(u.b.b, data...)
	if len(u.b.b) < int(u.length) {
		return nil, nil, true
	}
	unit = u.b
	*u = parts{}
	return unit, unit.b, true
}
