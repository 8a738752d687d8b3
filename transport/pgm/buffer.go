package pgm

import "sync"

// A buffer holds the data of one packet until it was handed out.
type buffer struct {
	b        []byte
	fragment *fragment
	pooled   bool
	shared   bool // it has two owners, and is free when both have said so
}

const (
	smallBuffer = 1536
	bufferCost  = 128 // bytes, besides the data
)

var smallBuffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, smallBuffer), pooled: true} }}

// newBuffer returns an empty buffer for n bytes.
func newBuffer(n int) *buffer {
	if n > 0 && n <= smallBuffer {
		return smallBuffers.Get().(*buffer)
	}
	return &buffer{b: make([]byte, 0, n)}
}

// keep copies data into a buffer.
func keep(data []byte) *buffer {
	b := newBuffer(len(data))
	b.b = append(b.b, data...)
	return b
}

// cost is how much memory b takes, in bytes.
func (b *buffer) cost() int {
	if b == nil {
		return 0
	}
	return cap(b.b) + bufferCost
}

// keepCost is what a buffer for n bytes will cost.
func keepCost(n int) int {
	if n > 0 && n <= smallBuffer {
		n = smallBuffer
	}
	return n + bufferCost
}

// free gives b back; nil is fine.
func (b *buffer) free() {
	switch {
	case b == nil:
	case b.shared:
		b.shared = false
	case b.pooled:
		b.b, b.fragment = b.b[:0], nil
		smallBuffers.Put(b)
	}
}
