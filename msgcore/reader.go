package msgcore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A reader is what a session needs to read. It fills slabs, one read each,
// walks the frame headers in them, answers commands, and hands whole messages
// over in blocks; whoever receives only makes the Msg.
//
//	slab.buf:  [ handed over | block: whole messages | unfinished | free ]
//	                         start                   end      pos  fill
//
// A frame that is too large for the rest of the slab gets a buffer of its own.
// An unfinished message moves on to the next slab, so that none lies in two.
type reader struct {
	mu sync.Mutex // of in, whose producer this is
	ss *session
	in *inlet

	discard bool // nothing is for the application
	publish bool // messages are subscriptions

	slab                  *slab
	class                 int8 // of the next slab
	start, end, pos, fill int

	msgs    int    // whole messages in the block
	frames  int    // frames of these
	size    int64  // of these, on the wire
	bodies  []body // beside slab.buf[start:pos]
	done    int    // so many belong to whole messages
	part    int    // frames of the unfinished message
	partLen int64  // of these, on the wire
	content int64  // of these, as MaxMessage counts

	out block // that is handed over; not on the stack, see session.run

	reads atomic.Int64 // received, for others to see
	full  bool         // the last one gave all that there was room for

	limit    int   // of the next read, so that little of a large body gets into the slab
	last     int   // size of the last frame on the wire, if it is in the slab
	received int64 // bytes, since the beginning

	tryFn func(fd uintptr) bool // tryRead, made once
	n     int                   // its results
	err   error
	wait  chan struct{} // capacity 1: there may be room in the pipe

	// For a socket in lockstep; see lockstep.go.
	token     sync.Mutex // whoever holds it reads, and owns all of the above but mu
	uses      atomic.Int64
	back      chan struct{} // capacity 1: the session's own goroutine is needed
	recall    atomic.Bool   // it is, once whoever reads has done
	single    bool          // deliver one message at a time: others have their turn
	standsIn  bool          // whoever reads is an application's goroutine
	unread    bool          // it has stopped before all was read
	one       bool          // stop as soon as something is delivered
	poll      bool          // do not wait
	spin      bool          // do not wait yet
	delivered bool
}

const (
	startLimit = 4 << 10
	longFrame  = 1 << 10
	slabbed    = 32 << 10 // frames up to here are read into slabs, once that much has come
	trusted    = 32 << 10 // allocated for a claim, before anything has arrived
	trustedMax = 8 << 20
	maxCommand = 64 << 10
)

func (r *reader) init(ss *session, in *inlet) {
	r.ss, r.in, r.wait = ss, in, in.wake
	r.limit = startLimit
	if ss.raw != nil {
		r.tryFn = r.tryRead
		if _, ok := ss.conn.(*byteConn); ok {
			r.tryFn = r.tryReadBytes
		}
	}
	switch ss.s.typ {
	case Req, Rep:
		r.back = make(chan struct{}, 1)
	case Pub, XPub:
		r.publish = true
	case Push, Scatter, Radio:
		r.discard = true
	}
}

// loop reads until the connection ends or the peer breaks the rules.
func (r *reader) loop() error {
	r.token.Lock()
	for {
		need, err := r.parseAll()
		if err == nil && r.delivered && r.ss.idle() {
			if !r.stepAside() {
				return errSessionEnded
			}
			r.delivered = false
			continue // others may have left something to parse
		}
		if r.delivered && r.ss.nap.lively.Load() {
			r.ss.calm()
			r.delivered = false
		}
		if err == nil {
			r.poll = r.sleepy()
			err = r.more(need)
			r.poll = false
		}
		switch {
		case err == nil:
		case err == errNothing:
			r.token.Unlock()
			if r.ss.s.watcher.Load().sleep(r.ss) {
				return errAsleep
			}
			r.token.Lock()
		case errors.Is(err, os.ErrDeadlineExceeded) && (r.back != nil || r.ss.nap.able):
			_ = r.ss.conn.SetReadDeadline(time.Time{})
		default:
			r.token.Unlock()
			return r.explain(err)
		}
	}
}

// errAsleep is returned by loop when the session has left waiting to the
// watcher.
var errAsleep = errors.New("the session sleeps")

// sleepy reports whether the session should sleep if there is nothing to read.
func (r *reader) sleepy() bool {
	n := &r.ss.nap
	return n.able && r.part == 0 && r.start == r.fill && !n.lively.Load() && r.ss.s.watcher.Load() != nil
}

// blocked reports whether the application has not received all that was read: a
// caller of Recv that reads more may find the pipe full, and wait for itself.
func (r *reader) blocked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.in.msgs > 0
}

// drained reports whether nothing was left behind by the last read, which the
// watcher will not tell of once more.
func (r *reader) drained() bool { return r.pos == r.fill && !r.full }

var errCut error = cutError{}

// A cutError is io.ErrUnexpectedEOF.
type cutError struct{}

func (e cutError) Error() string {
	return "the peer closed the connection within a message: " + e.Unwrap().Error()
}

func (cutError) Unwrap() error { return io.ErrUnexpectedEOF }

// parseAll is parse, and hands over what is whole: also what a peer has sent
// before it broke the rules.
func (r *reader) parseAll() (need int, err error) {
	for {
		need, err = r.parse()
		if late := r.handOver(); err == nil {
			err = late
		}
		if r.one {
			return need, err
		}
		others, late := r.settle(err == nil)
		if err == nil {
			err = late
		}
		if err != nil || !others {
			return need, err
		}
	}
}

// parse walks the frames that have arrived and returns how many bytes are
// needed at least to go on.
func (r *reader) parse() (need int, err error) {
	for {
		if r.slab == nil || r.one && r.delivered {
			return 1, nil
		}
		if r.part == 0 && r.parseShort() && r.msgs >= r.batch() {
			if err := r.handOver(); err != nil {
				return 0, err
			}
			continue
		}
		b := r.slab.buf[r.pos:r.fill]
		flags, n, hdr, err := zmtp.ParseHeader(b)
		switch {
		case err != nil:
			return 0, err
		case hdr == 0:
			return 1, nil
		case flags&zmtp.FlagCommand != 0:
			if n > maxCommand {
				return 0, &zmtp.ProtocolError{Rule: fmt.Sprintf("a command of %d bytes, the limit is %d", n, maxCommand)}
			}
			if missing := hdr + int(n) - len(b); missing > 0 {
				return missing, nil
			}
			if err := r.command(zmtp.Frame{Command: true, Body: b[hdr : hdr+int(n)]}); err != nil {
				return 0, err
			}
			if err := r.skip(hdr + int(n)); err != nil {
				return 0, err
			}
			continue
		}
		if limit := r.ss.s.opts.MaxMessage; limit > 0 && (r.content > limit || n > uint64(limit-r.content)) {
			return 0, fmt.Errorf("%w: the peer sends over %d bytes, Options.MaxMessage", ErrMessageTooBig, limit)
		}
		if missing := uint64(hdr) + n; missing > uint64(len(b)) {
			missing -= uint64(len(b))
			if n <= inlineMax || n <= slabbed && r.received > slabbed || missing <= uint64(len(r.slab.buf)-r.fill) {
				return int(missing), nil
			}
			if r.one {
				return 0, errLarge
			}
			if err := r.handOver(); err != nil {
				return 0, err
			}
			if _, err := r.settle(false); err != nil { // it may take its time
				return 0, err
			}
			if err := r.large(n, hdr); err != nil {
				return 0, err
			}
		} else {
			r.last = hdr + int(n)
			r.pos += r.last
		}
		r.part++
		r.partLen += int64(hdr) + int64(n)
		r.content += int64(n)
		if r.part > freeFrames {
			r.content += frameCost
		}
		if flags&zmtp.FlagMore == 0 {
			if err := r.whole(); err != nil {
				return 0, err
			}
		}
	}
}

// parseShort walks messages of one frame of at most 255 bytes, which most are,
// and reports whether there were any. They make no more than a block.
func (r *reader) parseShort() bool {
	if limit := r.ss.s.opts.MaxMessage; limit > 0 && limit < 255 {
		return false
	}
	b, pos, n := r.slab.buf[:r.fill], r.pos, 0
	for most := r.batch() - r.msgs; n < most && pos+2 <= len(b) && b[pos] == 0; n++ {
		next := pos + 2 + int(b[pos+1])
		if next > len(b) {
			break
		}
		pos = next
	}
	if n == 0 {
		return false
	}
	r.msgs += n
	r.frames += n
	r.size += int64(pos - r.pos)
	r.pos, r.end, r.done, r.last = pos, pos, len(r.bodies), 0
	return true
}

// whole is called when a message is complete.
func (r *reader) whole() error {
	r.msgs++
	r.frames += r.part
	r.size += r.partLen
	r.end, r.done = r.pos, len(r.bodies)
	r.part, r.partLen, r.content = 0, 0, 0
	if r.msgs >= r.batch() {
		return r.handOver()
	}
	return nil
}

// batch is how many messages a block has at most.
func (r *reader) batch() int {
	if r.single {
		return 1
	}
	return r.in.batch
}

// skip takes n bytes out of the stream at pos, a command.
func (r *reader) skip(n int) error {
	if r.part > 0 { // within a message, which must stay in one piece
		copy(r.slab.buf[r.pos:], r.slab.buf[r.pos+n:r.fill])
		r.fill -= n
		return nil
	}
	if err := r.handOver(); err != nil {
		return err
	}
	r.pos += n
	r.start, r.end = r.pos, r.pos
	return nil
}

func (r *reader) command(f zmtp.Frame) error {
	if r.ss.version.Major < 3 {
		return &zmtp.ProtocolError{Rule: "command frame: there are none before ZMTP 3.0"}
	}
	if prefix, on, ok := zmtp.ParseSubscription(f); ok {
		if r.publish {
			r.ss.p.hearSubscription(prefix, on)
		}
		return nil
	}
	name, data, err := zmtp.ParseCommand(f.Body)
	if err != nil {
		return err
	}
	switch name {
	case zmtp.CommandPing:
		return r.ss.hb.ping(data)
	case zmtp.CommandJoin, zmtp.CommandLeave:
		if r.ss.s.typ == Radio {
			r.ss.p.hearSubscription(data, name == zmtp.CommandJoin)
		}
	case zmtp.CommandError:
		reason, err := zmtp.ParseError(data)
		if err != nil {
			return err
		}
		return &zmtp.RejectedError{Reason: reason}
	}
	return nil // unknown ones are for later versions
}

// large reads the body of n bytes whose header of hdr bytes stands at pos into
// a buffer of its own. What the peer claims is believed as far as it has kept
// its word before: the buffer grows with what arrives.
func (r *reader) large(n uint64, hdr int) error {
	r.pos += hdr
	got := r.slab.buf[r.pos:r.fill]
	r.fill = r.pos
	trust := uint64(min(max(trusted, r.received), trustedMax))
	own := newBody(int(min(n, trust)))
	have := copy(own.buf, got)
	empty := 0
	for uint64(have) < n {
		size := min(uint64(len(own.buf)), n)
		if uint64(have) == size {
			grown := newBody(int(min(n, 2*size)))
			copy(grown.buf, own.buf[:have])
			own.drop()
			own = grown
			continue
		}
		m, err := r.ss.conn.Read(own.buf[have:size])
		have += m
		switch {
		case m > 0:
			r.heard(m) // each is a sign of life
			empty = 0
		case errors.Is(err, os.ErrDeadlineExceeded): // meant for a caller of Recv
			_ = r.ss.conn.SetReadDeadline(time.Time{})
		case err != nil:
			own.drop()
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		default:
			if empty++; empty == maxEmptyReads {
				own.drop()
				return io.ErrNoProgress
			}
		}
	}
	r.bodies = append(r.bodies, body{off: r.pos - r.start, b: own.buf[:n:n], own: own})
	r.limit, r.last = startLimit, 0
	return nil
}

func (r *reader) heard(n int) {
	r.received += int64(n)
	r.reads.Store(r.received)
	r.ss.hb.hear()
}

// close counts what was not handed over, and gives up what is unfinished. The session has ended, so that whoever
// reads will stop.
func (r *reader) close() {
	r.token.Lock()
	defer r.token.Unlock()
	for i := range r.bodies {
		r.bodies[i].own.drop()
	}
	r.bodies = nil
	r.countRest()
	if r.slab != nil {
		r.dropSlab()
	}
}
