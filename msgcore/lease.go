package msgcore

import (
	"sync"
	"sync/atomic"
)

// A lease keeps account of the messages of one received block: once all of them
// are released, the block's buffers are recycled. Messages that are never
// released leave the lease and its buffers to the collector.
//
// Each message has one bit in words, which stands beside the generation of the
// lease, so that a second Release, on a copy too and however late, finds that
// there is nothing to release.
type lease struct {
	words []atomic.Uint64 // generation<<32 | a bit for each live message; never reallocated
	left  atomic.Int32    // words with live messages
	gen   uint32          // written while nobody holds a message
	class int8            // index into leaseClasses

	slab   *slab
	bodies []body
	table  [][]byte // of length 0: behind it, the frames of the messages handed out so far
	used   int      // so many, guarded by the socket's recvMu
	ids    []byte   // copies of a routing id, one for each message
	in     *inlet   // whose messages these are
}

// copyID returns a copy of id that belongs to one of the n messages that are
// still to be handed out.
func (l *lease) copyID(id []byte, n int) []byte {
	if cap(l.ids)-len(l.ids) < len(id) {
		l.ids = make([]byte, 0, n*len(id))
	}
	at := len(l.ids)
	l.ids = append(l.ids, id...)
	return l.ids[at:len(l.ids):len(l.ids)]
}

// leaseClasses are in words of 32 messages each.
var leaseClasses = [...]int{1, 16, 1024}

var leasePools [len(leaseClasses)]sync.Pool

// newLease takes over what b holds. Frames is the room needed in the table.
func newLease(b *block, frames int, in *inlet) *lease {
	words := (b.msgs + 31) / 32
	class := 0
	for class < len(leaseClasses)-1 && leaseClasses[class] < words {
		class++
	}
	var l *lease
	if words <= leaseClasses[class] {
		l, _ = leasePools[class].Get().(*lease)
		words = leaseClasses[class]
	}
	if l == nil {
		l = &lease{words: make([]atomic.Uint64, words), class: int8(class)}
		if words > leaseClasses[class] {
			l.class = -1
		}
	}
	l.gen++
	live := uint64(l.gen) << 32
	for i, n := 0, b.msgs; n > 0; i, n = i+1, n-32 {
		mask := uint64(1)<<32 - 1
		if n < 32 {
			mask = uint64(1)<<n - 1
		}
		l.words[i].Store(live | mask)
	}
	l.left.Store(int32((b.msgs + 31) / 32))
	l.slab, l.bodies, l.in = b.slab, b.bodies, in
	if cap(l.table) < frames {
		l.table = make([][]byte, 0, frames)
	}
	return l
}

// release gives up those messages of word i that are in mask, if they are alive
// in generation gen.
func (l *lease) release(i, gen, mask uint32) {
	w := &l.words[i]
	for {
		old := w.Load()
		live := uint32(old)
		if uint32(old>>32) != gen || live&mask == 0 {
			return
		}
		if w.CompareAndSwap(old, old&^uint64(mask)) {
			if live&^mask == 0 {
				l.settle()
			}
			return
		}
	}
}

// alive reports whether the message in s is not released.
func (l *lease) alive(s slot) bool {
	i := s.index()
	old := l.words[i>>5].Load()
	return uint32(old>>32) == s.gen() && old&(uint64(1)<<(i&31)) != 0
}

// settle is told that all messages of a word were released.
func (l *lease) settle() {
	if l.left.Add(-1) != 0 {
		return
	}
	if l.slab != nil {
		l.slab.drop()
	}
	if len(l.bodies) > 0 {
		clear(l.table[:l.used]) // large bodies must not stay reachable by it
		for i := range l.bodies {
			l.bodies[i].own.drop()
		}
	}
	l.slab, l.bodies, l.in = nil, nil, nil
	l.used, l.ids = 0, l.ids[:0]
	if l.class >= 0 {
		leasePools[l.class].Put(l)
	}
}
