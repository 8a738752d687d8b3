package msgcore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A Socket sends and receives messages through any number of endpoints, by the
// rules of its type. Make one with New or the constructor of its type. Its
// methods may be called from several goroutines at once.
//
// Ending a context ends that call and nothing else. A closed Socket answers
// every call with an error that Is net.ErrClosed.
type Socket struct {
	typ    Type
	opts   Options
	optErr error // of the options; every call returns it
	pat    pattern
	state  stateful // pat, if it has an opinion
	// spread or pub is pat, if messages of at most smallMax bytes may be sent by
	// sendQuick; single says that they have one frame.
	spread   spreading
	pub      *pubPattern
	single   bool
	smallMax int
	// plain says that recvQuick may be used, filter what it has to ask then, if
	// not nil.
	plain  bool
	filter filter
	// recvErr is the answer to Recv, for a type that has none.
	recvErr error
	extra   int             // pat.extra()
	says    zmtp.Properties // to each peer, in the handshake
	// bytes says that connections carry plain bytes (STREAM).
	bytes bool
	// inline says that the callers of Send and Recv use the connection
	// themselves; only is the one that they may read.
	inline bool
	only   atomic.Pointer[session]
	// watcher waits for the connections on which nothing happens; nil while there
	// is no use for one.
	watcher atomic.Pointer[watcher]
	asked   atomic.Pointer[session] // of a REQ: which the last request went out on

	// Lock order: mu, recvMu, sendMu; then, of the other end on inproc, its
	// sendMu. No lock is held across I/O.

	recvMu   sync.Mutex // guards what follows
	in       Msg        // the message that is being received
	fair     fairQueue
	recvWait waitList
	leads    bool // a caller waits in the watcher's place
	calls    calls
	inlets   *inlet // a list of those that something may come from; see traffic.go
	cameIn   tally  // from those that were in it

	sendMu   sync.Mutex // guards what follows, and all pipes to peers
	out      outgoing   // the message that is being sent
	peers    map[*peer]struct{}
	sendWait waitList
	changed  waitList // those that wait for peers or subscriptions
	ready    int      // peers whose handshake succeeded and that are still there
	able     int      // of them, whose sessions may sleep

	// notes are what an XPUB tells its application; its pipe is guarded by
	// sendMu. noted says that arrived must be called for it.
	notes *inlet
	noted atomic.Bool

	wentOut tally // to peers that are gone
	doubt   tally // see Traffic.InDoubt
	// unsettled are of connections that have ended, while the other ends still read.
	unsettled []*receipts
	remade    int // connections; see Traffic.Reconnects

	unsent []Pending // what Close could not write

	closed bool // written under recvMu and sendMu

	mu        sync.Mutex // guards what follows
	endpoints []*endpoint
	listener  *streamListener // set before the first endpoint
	closing   bool

	ctx    context.Context // ends when the Socket lets go of everything
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine of the Socket
	quit   chan struct{}  // closed when Close begins
	done   chan struct{}  // closed when Close has finished
	err    error          // of Close; read after done

	requests  atomic.Bool  // there was a Request
	isClosing atomic.Bool  // Close is under way
	flushed   atomic.Bool  // and has nothing to write any more
	progress  atomic.Int64 // writes that moved bytes, while it is
	drops     dropCount
	known     atomic.Uint64 // peers, those that are gone included
	untold    atomic.Uint64 // events, too many at once for Options.Monitor
	packets   transport.PacketCounters
	events    *monitor
	happened  [len(eventNames)]atomic.Uint64 // events, by kind
	door      door

	// ahead is what comes from a reader that lets receivers read, who have received
	// all else; guarded by recvMu. See standin.go.
	ahead *inlet
}

var errClosed = net.ErrClosed

// New returns a socket of type t. Nil options mean defaults. It never fails: a
// type or an option that is not valid is the error of the first call.
func New(t Type, opts *Options) *Socket {
	s := &Socket{typ: t, quit: make(chan struct{}), done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.peers = map[*peer]struct{}{}
	if s.optErr = opts.Validate(t); s.optErr != nil {
		return s
	}
	s.opts = opts.withDefaults(t)
	s.opts.Transport.Packets = &s.packets
	s.pat = newPattern(s)
	s.state, _ = s.pat.(stateful)
	s.quicken()
	s.plain, s.filter = plain(t), filterOf(s.pat)
	s.extra = s.pat.extra()
	s.inline = t == Req || t == Rep
	s.bytes = t == Stream || s.opts.Router.Raw
	s.says = s.properties()
	switch t {
	case Push, Pub, Scatter, Radio:
		s.recvErr = errors.ErrUnsupported
	}
	if s.opts.Monitor != nil {
		s.events = newMonitor(s)
	}
	return s
}

// Format writes the type, for every verb of package fmt: a Socket's options may
// hold secrets.
func (s *Socket) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.typ.String()) }

// Type returns the type of s.
func (s *Socket) Type() Type { return s.typ }

// fail wraps err for op.
func (s *Socket) fail(op, endpoint string, err error) error {
	return &OpError{Op: op, Type: s.typ, Endpoint: endpoint, Err: err}
}

// add makes p a peer of s. It must be called with recvMu held when the pattern
// subscribes, so that no subscription is missed, and with sendMu held.
func (s *Socket) add(p *peer) error {
	if s.closed {
		return errClosed
	}
	if err := s.pat.attach(p); err != nil {
		return err
	}
	p.attached = true
	s.peers[p] = struct{}{}
	s.sendWait.wakeAll()
	return nil
}

// remove ends what add began, drops what is still queued for p, and returns
// how many messages that were; under sendMu.
func (s *Socket) remove(p *peer) (lost int) {
	if !p.attached {
		return 0
	}
	p.attached = false
	delete(s.peers, p)
	s.pat.detach(p)
	p.out.live, p.out.closed = false, true
	s.wentOut.add(p.written())
	if p.twin == nil { // on inproc the other end may still receive it
		var size int64
		lost, size = p.out.drain()
		s.drop(DropLost, p, p.info, lost)
		if lost > 0 && s.closed {
			s.unsent = append(s.unsent, p.pending(lost, size))
		}
	}
	p.wait.wakeAll()
	s.sendWait.wakeAll()
	s.changed.wakeAll()
	return lost
}

// roomed is called, under sendMu, when credit for p has come that somebody
// waits for, and returns whom to wake.
func (p *peer) roomed() (next, own *waiter) {
	if p.attached {
		p.s.pat.room(p)
	}
	return p.s.sendWait.pop(), p.wait.pop()
}

// gotRoom is roomed for the other end of an inproc link.
func (p *peer) gotRoom() {
	p.s.sendMu.Lock()
	next, own := p.roomed()
	p.s.sendMu.Unlock()
	next.signal()
	own.signal()
}

// wakeNotes makes the notes known that were written while sendMu was held.
func (s *Socket) wakeNotes() {
	if s.notes != nil && s.noted.Swap(false) {
		s.arrived(s.notes)
	}
}

// arrived makes in one of those that have messages.
func (s *Socket) arrived(in *inlet) {
	if in.conn != nil {
		in.conn.arrived()
		return
	}
	s.recvMu.Lock()
	s.fair.add(in)
	w := s.popReceiver()
	s.recvMu.Unlock()
	w.signal()
}

// popReceiver takes the one that has waited longest for messages, for the caller
// to signal. If there is none but a caller that waits in the watcher's place, that
// one is told; under recvMu.
func (s *Socket) popReceiver() *waiter {
	w := s.recvWait.pop()
	if w == nil && s.leads {
		s.watcher.Load().set.interrupt()
	}
	return w
}

// foundHere is arrived for a caller that has read by itself.
func (s *Socket) foundHere(in *inlet) {
	s.recvMu.Lock()
	s.fair.add(in)
	w := s.recvWait.pop()
	s.recvMu.Unlock()
	w.signal()
}
