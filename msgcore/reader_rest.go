package msgcore

import "github.com/solomq/solomq/msgcore/zmtp"

// countRest counts the whole messages that were read and not handed over when the
// session has ended, as it does while the application has no room for more: the
// peer has sent them, and knows nothing of it. It looks at headers only.
func (r *reader) countRest() {
	rest := block{}
	var left uint64 // bytes of the frame that was begun
	within, flags := false, byte(0)
	size := r.partLen
	for {
		if r.slab != nil {
			k := min(left, uint64(r.fill-r.pos))
			r.pos += int(k)
			left -= k
			if within && left == 0 {
				within = false
				if flags&(zmtp.FlagMore|zmtp.FlagCommand) == 0 {
					rest.msgs, rest.size, size = rest.msgs+1, rest.size+size, 0
				}
			}
			if !within {
				f, n, hdr, err := zmtp.ParseHeader(r.slab.buf[r.pos:r.fill])
				if err != nil {
					break
				}
				if hdr > 0 {
					within, flags, left = true, f, n
					r.pos += hdr
					if r.publish && size == 0 && r.pos < r.fill && isSubscription(r.slab.buf[r.pos:r.fill]) {
						flags = zmtp.FlagCommand // of a peer before ZMTP 3.1
					}
					if flags&zmtp.FlagCommand == 0 {
						size += int64(hdr) + int64(n)
					}
					continue
				}
			}
			r.start, r.end = r.pos, r.pos
		}
		if !r.ahead() || r.more(1) != nil {
			break
		}
	}
	cause := DropUnread
	if r.discard || r.ss.s.typ == Pub {
		cause = DropUnwanted
	}
	if rest.msgs > 0 {
		r.drop(&rest, cause)
	}
}

// ahead reports whether the connection itself may have read more than was asked of
// it. It is closed, so that asking does not wait; one with TLS may not be, yet.
func (r *reader) ahead() bool {
	switch r.ss.conn.(type) {
	case *sealedConn, *oldConn:
		return !r.ss.slow
	}
	return false
}
