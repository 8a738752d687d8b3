package pgm

// A fragment says which part of a larger unit a packet is (RFC 3208 section 9.3).
type fragment struct {
	first  uint32 // the number of the first part
	offset uint32
	length uint32 // of the unit
}

// maxUnit bounds what is put together, in bytes; with little memory, less does.
const maxUnit = 16 << 20

// parts puts a unit together whose parts are handed out in order. libzmq and this
// package send none, other senders may.
type parts struct {
	b      *buffer
	first  uint32
	length uint32
}

// add takes the part with number sqn of a unit of limit bytes at most. It reports
// whether the part fits to those before it, and whether there is memory for it, which
// afford takes.
func (u *parts) add(sqn uint32, f *fragment, data []byte, limit int, afford func(bytes int) bool) bool {
	if u.b == nil {
		if f.offset != 0 || f.first != sqn || int64(f.length) > int64(limit) || !afford(bufferCost) {
			return false
		}
		u.b, u.first, u.length = newBuffer(0), sqn, f.length
	}
	have := len(u.b.b)
	if f.first != u.first || f.length != u.length || int(f.offset) != have || have+len(data) > int(u.length) {
		return false
	}
	if room := cap(u.b.b); have+len(data) > room {
		size := min(max(2*room, have+len(data)), int(u.length))
		if !afford(size - room) {
			return false
		}
		u.b.b = append(make([]byte, 0, size), u.b.b...)
	}
	u.b.b = append(u.b.b, data...)
	return true
}

// whole returns the unit if it is there.
func (u *parts) whole() *buffer {
	if len(u.b.b) < int(u.length) {
		return nil
	}
	b := u.b
	*u = parts{}
	return b
}
