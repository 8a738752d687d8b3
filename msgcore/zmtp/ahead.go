package zmtp

import "io"

// aheadMost is how much Handshake reads at once with Config.ReadAhead: a greeting,
// the command behind it, and a small message or two.
const aheadMost = 512

// Read reads what the peer sends, beginning with what is there. What is held for the
// peer goes out before it is waited for.
func (h *handshaker) Read(p []byte) (int, error) {
	if len(h.there) == 0 {
		h.release()
		if !h.cfg.ReadAhead || len(p) >= aheadMost {
			return h.rw.Read(p)
		}
		if h.buf == nil {
			h.buf = make([]byte, aheadMost)
		}
		n, err := h.rw.Read(h.buf)
		if n == 0 {
			return 0, err
		}
		h.there = h.buf[:n] // an error comes again
	}
	n := copy(p, h.there)
	h.there = h.there[n:]
	return n, nil
}

// understands reports whether it is known from the beginning that the peer
// understands our greeting: it has sent one like it. Such a peer does not wait
// for ours.
func (h *handshaker) understands() bool {
	g, size, err := ParseGreeting(h.there)
	return err == nil && size > 0 && g.Mechanism == h.name
}

// An aheadReader reads head before the rest.
type aheadReader struct {
	head []byte
	rest io.Reader
}

func (r *aheadReader) Read(p []byte) (int, error) {
	if len(r.head) == 0 {
		return r.rest.Read(p)
	}
	n := copy(p, r.head)
	if r.head = r.head[n:]; len(r.head) == 0 {
		r.head = nil
	}
	return n, nil
}
