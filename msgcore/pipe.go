package msgcore

import (
	"sync"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A pipe is the bounded queue between a socket and one peer, in one direction.
// It queues blocks of framed bytes, not messages: the producer appends small
// messages to the last block, and the consumer takes all blocks at once, so
// that the more gathers the less each message costs.
//
// A message counts against the high-water mark until the consumer gives credit
// for it: a session after its last byte was written, a socket when the
// application has received the block it came in.
type pipe struct {
	mu *sync.Mutex // the producer's lock; guards all below

	blocks []block
	open   bool // the last block may be appended to
	class  int8 // of the next slab
	batch  int  // messages that a block has at most

	msgs     int // queued or taken, and not yet credited
	bytes    int64
	maxMsgs  int   // 0: no bound
	maxBytes int64 // 0: no bound

	live    bool // there is a consumer that can be woken
	idle    bool // it has found the pipe empty and waits to be woken
	starved bool // the producer has found the pipe full and waits for credit
	closed  bool // nothing more is taken or credited

	done  tally // credited, since the beginning
	other tally // came and neither is queued nor was credited, less what came from no peer; see traffic.go

	// direct says that the consumer is a socket of this process, which becomes
	// the owner of the bytes.
	direct bool

	// replaced, unless nil, says that only the last message stays, and counts
	// the others; see conflate.go.
	replaced *replacing

	ahead []block // have come and wait for room; no part of the above
	lent  bool    // who waits for that lets the consumer read; see standin.go
}

func newPipe(mu *sync.Mutex, maxMsgs int, maxBytes int64) *pipe {
	p := &pipe{mu: mu, maxMsgs: maxMsgs, maxBytes: maxBytes, idle: true, class: someClass}
	p.batch = batchFor(maxMsgs)
	return p
}

// batchFor returns how many messages a block has at most under a high-water
// mark: half of it, so that credit comes back while the rest is still in use.
func batchFor(hwm int) int {
	if hwm == 0 || hwm > 2*defaultHWM {
		return defaultHWM
	}
	return (hwm + 1) / 2
}

// room reports whether a message of n bytes fits; one always does.
func (p *pipe) room(n int64) bool { return p.fits(1, n) }

// fits reports whether msgs messages of n bytes together fit, which they always
// do in an empty pipe.
func (p *pipe) fits(msgs int, n int64) bool {
	return p.msgs == 0 ||
		(p.maxMsgs == 0 || p.msgs+msgs <= p.maxMsgs) && (p.maxBytes == 0 || p.bytes+n <= p.maxBytes)
}

// An outgoing message. Each Socket has one, which is filled and sent under
// sendMu, so that sending allocates nothing.
type outgoing struct {
	frames     [][]byte
	head       []byte // put in front as it is, in framing, with MORE on each frame
	headFrames int
	given      bool  // the frames are the socket's own; else they are copied
	from       Msg   // if given: the received message that they belong to, if any
	size       int64 // on the wire
	call       *call // the Request that it is, if any

	list [][]byte // where frames are noted
}

func frameSize(n int) int {
	if n > 255 {
		return 9 + n
	}
	return 2 + n
}

// set makes o the message of a call. It notes the frames one by one, and they
// are not a field of c, so that the caller's list of them need not be on the
// heap.
func (o *outgoing) set(frames [][]byte, c *sending) {
	o.size = 0
	if len(frames) == 1 { // most messages; copying lists of pointers costs more
		o.list = append(o.list[:0], frames[0])
	} else {
		o.list = append(o.list[:0], frames...)
	}
	o.frames = o.list
	if c.head != nil {
		o.head, o.headFrames, o.call = c.head, c.headFrames, c.call
		o.size = int64(len(c.head))
	}
	o.given = c.given
	if c.from.lease != nil || c.from.RoutingID != 0 { // few have anything to note
		o.from = c.from
	}
	for _, f := range frames {
		o.size += int64(frameSize(len(f)))
	}
}

// unset forgets the message, so that nothing of it is kept alive. What is still
// o's own is given back.
func (o *outgoing) unset() {
	if o.from.lease != nil {
		o.from.Release()
	}
	o.forget()
}

func (o *outgoing) forget() {
	if len(o.list) == 1 {
		o.list[0] = nil
	} else {
		clear(o.list)
		if cap(o.list) > maxKeptFrames {
			o.list = nil
		}
	}
	o.frames = nil
	if o.headFrames > 0 {
		o.head, o.headFrames, o.call = nil, 0, nil
	}
	if o.from.lease != nil || o.from.RoutingID != 0 {
		o.from = Msg{}
	}
}

const maxKeptFrames = 64

// push appends o, for which there is room, and reports whether the consumer has
// to be woken.
func (p *pipe) push(o *outgoing) (wake bool) {
	inline := len(o.head)
	large := 0
	for _, f := range o.frames {
		if len(f) > inlineMax {
			inline += 9
			large++
		} else {
			inline += frameSize(len(f))
		}
	}
	b := p.tail(inline)
	dst := append(b.b, o.head...)
	last := len(o.frames) - 1
	for i, f := range o.frames {
		var flags byte
		if i < last {
			flags = zmtp.FlagMore
		}
		n := len(f)
		if n <= 255 {
			dst = append(dst, flags, byte(n))
			dst = append(dst, f...)
			continue
		}
		dst = zmtp.AppendHeader(dst, flags, n)
		if n <= inlineMax {
			dst = append(dst, f...)
			continue
		}
		large--
		bd := body{off: len(dst)}
		switch {
		case o.given:
			bd.b = f[:n:n]
			if large == 0 {
				bd.own = borrowed(o.from) // with the last one, all are done with
				o.from = Msg{}
			}
		default:
			bd.own = newBody(n)
			bd.b = bd.own.buf[:n:n]
			copy(bd.b, f)
		}
		b.bodies = append(b.bodies, bd)
	}
	b.b = dst
	b.msgs++
	b.frames += len(o.frames) + o.headFrames
	b.size += o.size
	if b.msgs >= p.batch {
		p.seal()
	}
	if p.replaced != nil {
		p.keepLast()
	}
	return p.added(1, o.size)
}

// pushFrames is push of a message of frames that all go into a slab, where they
// take size bytes.
func (p *pipe) pushFrames(frames [][]byte, size int) (wake bool) {
	b := p.tailFor(size)
	if f := frames[0]; len(frames) == 1 && len(f) <= 255 {
		at := len(b.b)
		dst := b.b[:at+size]
		dst[at], dst[at+1] = 0, byte(len(f))
		copy(dst[at+2:], f)
		b.b = dst
	} else {
		b.b = appendFrames(b.b, frames)
	}
	return p.pushed(b, len(frames), size)
}

// pushShort is pushFrames of the first of msgs, as long as each is one short frame,
// takes at most most bytes, and fits into the block into which the last message went.
// It returns how many these are. pushFrames of the last one, just now, has told whom to
// wake.
func (p *pipe) pushShort(msgs []Msg, most int) (n int) {
	if !p.open || p.replaced != nil {
		return 0
	}
	b := &p.blocks[len(p.blocks)-1]
	dst := b.b
	left := cap(dst) - len(dst)
	if p.maxBytes > 0 {
		left = int(min(int64(left), p.maxBytes-p.bytes))
	}
	msgs = msgs[:min(len(msgs), p.batch-b.msgs)]
	if p.maxMsgs > 0 {
		msgs = msgs[:max(0, min(len(msgs), p.maxMsgs-p.msgs))]
	}
	for n < len(msgs) {
		frames := msgs[n].Frames
		if len(frames) != 1 || len(frames[0]) > 255 {
			break
		}
		f, at := frames[0], len(dst)
		size := 2 + len(f)
		if size > most || size > left {
			break
		}
		dst = dst[:at+size]
		dst[at], dst[at+1] = 0, byte(len(f))
		copy(dst[at+2:], f)
		left -= size
		n++
	}
	size := int64(len(dst) - len(b.b))
	b.b = dst
	b.msgs, b.frames, b.size = b.msgs+n, b.frames+n, b.size+size
	if b.msgs >= p.batch {
		p.seal()
	}
	p.msgs, p.bytes = p.msgs+n, p.bytes+size
	return n
}

// pushRaw is pushFrames of a message in framing.
func (p *pipe) pushRaw(raw []byte, frames int) (wake bool) {
	b := p.tailFor(len(raw))
	b.b = append(b.b, raw...)
	return p.pushed(b, frames, len(raw))
}

// appendFrames appends a message of frames, in framing.
func appendFrames(dst []byte, frames [][]byte) []byte {
	last := len(frames) - 1
	for i, f := range frames {
		var flags byte
		if i < last {
			flags = zmtp.FlagMore
		}
		dst = append(zmtp.AppendHeader(dst, flags, len(f)), f...)
	}
	return dst
}

// tailFor is tail for a message that has no part outside of the block.
func (p *pipe) tailFor(size int) *block {
	if p.replaced != nil { // by the receiver's will, on inproc
		p.keepNone()
	}
	if p.open {
		if b := &p.blocks[len(p.blocks)-1]; cap(b.b)-len(b.b) >= size {
			return b
		}
	}
	return p.tail(size)
}

// pushed notes a message that was appended to b.
func (p *pipe) pushed(b *block, frames, size int) (wake bool) {
	b.msgs++
	b.frames += frames
	b.size += int64(size)
	if b.msgs >= p.batch {
		p.seal()
	}
	return p.added(1, int64(size))
}

// added accounts for what was appended and reports whether to wake the consumer.
func (p *pipe) added(msgs int, size int64) (wake bool) {
	p.msgs += msgs
	p.bytes += size
	if p.idle && p.live {
		p.idle = false
		return true
	}
	return false
}

// tail returns the block to append n bytes to.
func (p *pipe) tail(n int) *block {
	if p.open {
		b := &p.blocks[len(p.blocks)-1]
		if cap(b.b)-len(b.b) >= n {
			return b
		}
		p.seal()
		if p.class < topClass {
			p.class++
		}
	}
	s := newSlab(p.class, n)
	p.blocks = append(p.blocks, block{slab: s, b: s.buf[:0]})
	p.open = true
	return &p.blocks[len(p.blocks)-1]
}

// seal ends the open block.
func (p *pipe) seal() { p.open = false }

// pushBlock appends a block that is complete, for which there is room.
func (p *pipe) pushBlock(b *block) (wake bool) {
	p.seal()
	p.blocks = append(p.blocks, *b)
	if p.replaced != nil {
		p.keepLast()
	}
	return p.added(b.msgs, b.size)
}

// take moves all blocks to dst. Where there are none the consumer is marked as
// waiting.
func (p *pipe) take(dst []block) []block {
	if len(p.blocks) == 0 {
		p.idle = true
		return dst
	}
	if p.open {
		// What gathers between two takes tells how large a slab is worth.
		b := &p.blocks[len(p.blocks)-1]
		if len(p.blocks) == 1 && p.class > someClass && len(b.b) < slabClasses[p.class]/8 {
			p.class--
		}
		p.seal()
	}
	if len(dst) == 0 {
		dst, p.blocks = p.blocks, dst
		return dst
	}
	dst = append(dst, p.blocks...)
	clear(p.blocks)
	p.blocks = p.blocks[:0]
	return dst
}

// untake puts blocks back in front that a broken connection has not written.
func (p *pipe) untake(blocks []block) {
	if len(blocks) == 0 {
		return
	}
	p.seal()
	rest := p.blocks
	p.blocks = append(append(make([]block, 0, len(blocks)+len(rest)), blocks...), rest...)
	if p.replaced != nil {
		p.keepLast()
	}
}

// credit gives room back, first to what is ahead, and reports whether the producer
// waits for more.
func (p *pipe) credit(msgs int, size int64) (wake bool) {
	p.msgs -= msgs
	p.bytes -= size
	p.done.msgs += int64(msgs)
	p.done.bytes += size
	if !p.starved || msgs <= 0 {
		return false
	}
	n := 0
	for n < len(p.ahead) && p.fits(p.ahead[n].msgs, p.ahead[n].size) {
		p.pushBlock(&p.ahead[n])
		n++
	}
	if n > 0 {
		left := copy(p.ahead, p.ahead[n:])
		clear(p.ahead[left:])
		p.ahead = p.ahead[:left]
	}
	p.starved = len(p.ahead) > 0
	return !p.starved
}

// drain drops what is queued and returns how much it was.
func (p *pipe) drain() (msgs int, size int64) {
	for i := range p.blocks {
		msgs += p.blocks[i].msgs
		size += p.blocks[i].size
		p.blocks[i].free()
	}
	p.blocks, p.open = nil, false
	p.msgs -= msgs
	p.bytes -= size
	return msgs, size
}
