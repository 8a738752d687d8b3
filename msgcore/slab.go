package msgcore

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// A slab is a buffer that holds the frames of many messages. It starts small
// and its users go up a class when traffic fills it (design: no buffer for idle
// connections, few system calls for busy ones).
//
// Whoever puts bytes into it holds one reference, and so does each block that
// lies in it; with the last reference the slab is recycled. A slab whose
// references are forgotten is left to the collector.
type slab struct {
	buf   []byte // always of full length
	class int8   // index into slabClasses, or -1: too large to be kept
	refs  atomic.Int32
}

// The smallest is what a connection reads into that has little to say: a message
// that is never released keeps its slab. The largest holds 64 KiB of large frames
// with their headers.
var slabClasses = [...]int{256, 1 << 10, 4 << 10, 16 << 10, 72 << 10}

const (
	someClass = int8(1) // for more than one message
	topClass  = int8(len(slabClasses) - 1)
	inlineMax = 8 << 10 // larger frames travel beside the slab, not in it
)

var slabPools [len(slabClasses)]sync.Pool

// newSlab returns a slab of at least class, and at least size bytes, with one
// reference.
func newSlab(class int8, size int) *slab {
	for class < topClass && slabClasses[class] < size {
		class++
	}
	if slabClasses[class] < size {
		s := &slab{buf: make([]byte, size), class: -1}
		s.refs.Store(1)
		return s
	}
	s, _ := slabPools[class].Get().(*slab)
	if s == nil {
		s = &slab{buf: make([]byte, slabClasses[class]), class: class}
	}
	s.refs.Store(1)
	return s
}

func (s *slab) hold() { s.refs.Add(1) }

func (s *slab) drop() {
	if s.refs.Add(-1) == 0 && s.class >= 0 {
		slabPools[s.class].Put(s)
	}
}

// A bodyBuf owns the bytes of one large frame, or knows who does. With its last
// reference they are recycled, or handed back.
type bodyBuf struct {
	buf   []byte
	class int8
	refs  atomic.Int32
	from  Msg // the received message that the bytes belong to, if any
}

// Classes of large bodies: four to each power of two, so that at most a fifth
// is wasted.
const (
	bodyMin     = inlineMax
	bodyClasses = 4*9 + 1 // up to 4 MiB
)

var bodyPools [bodyClasses]sync.Pool

// bodyClass returns the class that n bytes fit in and its size, or -1 and n.
func bodyClass(n int) (int8, int) {
	if n <= bodyMin {
		return 0, bodyMin
	}
	top := bits.Len(uint(n-1)) - 1 // 2^top < n <= 2^(top+1)
	step := 1 << (top - 2)
	k := (n - 1 - 1<<top) / step // 0..3
	class := 4*(top-bits.Len(uint(bodyMin))+1) + k + 1
	if class >= bodyClasses {
		return -1, n
	}
	return int8(class), 1<<top + (k+1)*step
}

// newBody returns a buffer for n bytes, with one reference; its content is
// arbitrary.
func newBody(n int) *bodyBuf {
	class, size := bodyClass(n)
	if class >= 0 {
		if b, _ := bodyPools[class].Get().(*bodyBuf); b != nil {
			b.refs.Store(1)
			return b
		}
	}
	b := &bodyBuf{buf: make([]byte, size), class: class}
	b.refs.Store(1)
	return b
}

// borrowed returns a holder for bytes that belong to from; nil if they belong
// to nobody but the collector.
func borrowed(from Msg) *bodyBuf {
	if from.lease == nil {
		return nil
	}
	b := &bodyBuf{class: -1, from: from}
	b.refs.Store(1)
	return b
}

func (b *bodyBuf) hold(n int32) {
	if b != nil {
		b.refs.Add(n)
	}
}

func (b *bodyBuf) drop() {
	if b == nil || b.refs.Add(-1) != 0 {
		return
	}
	if b.from.lease != nil {
		b.from.Release()
		b.from = Msg{}
		return
	}
	if b.class >= 0 {
		if raceEnabled {
			poison(b.buf)
		}
		bodyPools[b.class].Put(b)
	}
}
