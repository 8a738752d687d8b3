package pgm

import "sync"

// A buffer holds the data of one packet until it was handed out.
type buffer struct {
	b        []byte
	fragment *fragment
	class    int // 0: not to be kept
}

const smallBuffer = 1536

var smallBuffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, smallBuffer), class: 1} }}

// newBuffer returns an empty buffer for n bytes.
func newBuffer(n int) *buffer {
	if n > 0 && n <= smallBuffer {
		return smallBuffers.Get().(*buffer)
	}
	return &buffer{b: make([]byte, 0, n)}
}

// keep copies data into a buffer.
func keep(data []byte) (*buffer, []byte) {
	b := newBuffer(len(data))
	b.b = append(b.b, data...)
	return b, b.b
}

// free gives b back; nil is fine.
func (b *buffer) free() {
	if b != nil && b.class == 1 {
		b.b, b.fragment = b.b[:0], nil
		smallBuffers.Put(b)
	}
}
