package unique

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/solomq/solomq/transport"
)

// What the external tests need of the protocol.

type (
	Message = message
	Kind    = kind
	Inlet   = inlet
	Outlet  = outlet
	Credit  = credit
	Sink    = sink
)

var (
	NewInlet       = newInlet
	NewCredit      = newCredit
	NewSink        = newSink
	ErrDone        = errDone
	ErrBrokenPipe  = errBrokenPipe
	ForwardedEnv   = forwardedEnv
	SameUser       = sameUser
	ErrWireVersion = errVersion
	SignalName     = signalName
	SignalOf       = signalOf
	ErrClosedHere  = errClosed
	ErrFlowWindow  = errWindow
	DefaultWindow  = int64(window)
	QueueIsFull    = errQueueFull
	NewProgressor  = func(send func(Progress)) *Progressor { return &Progressor{credit: 1, send: send} }
	NewListenerFor = newListener
)

type Progressor = progressor

func (p *Progressor) Tell(v Progress) { p.tell(v) }
func (p *Progressor) More()           { p.more() }
func (p *Progressor) Flush()          { p.flush() }

const (
	KindHello      = kindHello
	KindWelcome    = kindWelcome
	KindRequest    = kindRequest
	KindOffer      = kindOffer
	KindLeaving    = kindLeaving
	KindRefused    = kindRefused
	KindGo         = kindGo
	KindExit       = kindExit
	KindNotHandled = kindNotHandled
	KindExpired    = kindExpired
	KindStdin      = kindStdin
	KindStdout     = kindStdout
	KindStderr     = kindStderr
	KindCredit     = kindCredit
	KindSignal     = kindSignal
	KindCancel     = kindCancel
	KindProgress   = kindProgress
	KindTakeover   = kindTakeover

	WantStdin, WantStdout, WantStderr, WantProgress = wantStdin, wantStdout, wantStderr, wantProgress
	EndNormal, EndError                             = endNormal, endError
	FaultPanic, FaultReply, FaultEnded              = faultPanic, faultReply, faultEnded
	RefusedQueue, RefusedSize                       = refusedQueue, refusedSize
	RefusedVersion, RefusedProtocol                 = refusedVersion, refusedProtocol
	RefusedTakeover                                 = refusedTakeover
)

func (m *Message) AppendHead(b []byte) []byte { return m.appendHead(b) }
func (m *Message) Frames() [][]byte           { return m.frames() }
func (m *Message) CountedSize() int64         { return m.size() }

func (s *Inlet) Push(p []byte) error { return s.push(p) }
func (s *Inlet) Finish(err error)    { s.finish(err) }
func (s *Inlet) Fail(err error)      { s.fail(err) }

func (c *Credit) Add(n uint64)    { c.add(n) }
func (c *Credit) Fail(err error)  { c.fail(err) }
func (c *Credit) Hurry(err error) { c.hurry(err) }

func NewOutlet(c *Credit, send func([]byte) error) *Outlet { return &outlet{credit: c, send: send} }

func (s *Sink) Push(p []byte) error { return s.push(p) }
func (s *Sink) End()                { s.end() }
func (s *Sink) Drop()               { s.drop() }

// A Packet is what a FakePort receives.
type Packet struct {
	From   string
	PID    int
	Gone   bool
	Frames [][]byte
}

// A FakePort is a port whose other side is the test.
type FakePort struct {
	In     chan Packet // closed by the test, or by Close
	Out    func(to string, frames [][]byte)
	Closed chan struct{}
}

func (f *FakePort) run(handle func(packet) func()) error {
	for {
		select {
		case p := <-f.In:
			if handler := handle(packet{from: p.From, gone: p.Gone, frames: p.Frames, cred: transport.Cred{PID: p.PID, UID: 1000, GID: 100}}); handler != nil {
				go handler()
			}
		case <-f.Closed:
			return net.ErrClosed
		}
	}
}

func (f *FakePort) send(_ context.Context, to string, frames [][]byte) error {
	f.Out(to, frames)
	return nil
}

func (f *FakePort) trySend(to string, frames [][]byte) { f.Out(to, frames) }
func (f *FakePort) close() error                       { close(f.Closed); return nil }

// A Server is the primary's side of the protocol without a socket.
type Server struct {
	s    *server
	port *FakePort
	ran  chan struct{}
}

// NewServer starts a server whose WELCOME is always the same.
func NewServer(p *FakePort, o *Options) *Server {
	var generation [16]byte
	for i := range generation {
		generation[i] = byte(i)
	}
	o = o.withDefaults()
	s := &Server{s: newServer(p, generation, time.Unix(0, 0x18abcdef01234567), o), port: p, ran: make(chan struct{})}
	s.s.welcome.PID = 812
	s.s.idle = serveIdle(o.Idle)
	go func() {
		defer close(s.ran)
		s.s.run()
	}()
	return s
}

func (s *Server) Serve(ctx context.Context, h Handler) error { return s.s.serve(ctx, h) }
func (s *Server) Hold() func()                               { return s.s.hold() }
func (s *Server) State() State                               { return s.s.holder().State }

// Forward is Forward in the primary.
func (s *Server) Forward(ctx context.Context, inv *Invocation) (int, error) {
	return s.s.forwardLocal(ctx, inv)
}

// Uproot is what happens when the lock file was removed.
func (s *Server) Uproot(err error) error {
	s.s.uproot(err)
	return s.s.loss()
}

// Invite makes ticket the one that a successor shows.
func (s *Server) Invite(ticket [16]byte) { s.s.invite(ticket) }

// Begun is closed when there is a successor, Lost when that was not our will.
func (s *Server) Begun() <-chan struct{} { return s.s.handover.begun }
func (s *Server) Lost() <-chan struct{}  { return s.s.handover.lost }

// Loss is why the place was lost.
func (s *Server) Loss() error { return s.s.loss() }

// Stats is Stats of an Instance.
func (s *Server) Stats() Stats { return s.s.snapshot() }

// Close is Close of an Instance.
func (s *Server) Close(ctx context.Context) {
	s.s.leaveAndDrain(ctx)
	_ = s.port.close()
	<-s.ran
}

// Peers is how many connections the server remembers.
func (s *Server) Peers() int {
	s.s.mu.Lock()
	defer s.s.mu.Unlock()
	return len(s.s.peers)
}

// SetFault makes f called at every step of the protocol that has a name.
func SetFault(f func(step string)) { faultHook = f }

// Done is closed when Run has returned.
func (s *Sink) Done() <-chan struct{} { return s.done }

// A Source is what reads a caller's Stdin.
type Source struct{ source }

// NewSource makes one.
func NewSource(r io.Reader) Source { return Source{newSource(r)} }

// Stop breaks off a pending read.
func (s Source) Stop() { s.stop() }

// Pending reports whether a Read is under way.
func (s Source) Pending() bool {
	var mu *sync.Mutex
	switch s := s.source.(type) {
	case *deadlineSource:
		mu = &s.mu
	case *plainSource:
		mu = &s.mu
	default:
		mu = readLock(s)
	}
	if mu.TryLock() {
		mu.Unlock()
		return false
	}
	return true
}

// Decode returns a copy, which compares with what was sent.
func Decode(frames [][]byte) (Message, error) {
	var m message
	if err := m.decode(frames); err != nil {
		return Message{}, err
	}
	return m, nil
}

// Fresh is how long a WELCOME says that the primary is alive.
const Fresh = fresh

// HandshakeTime is how long a peer has for its handshake with a primary on ipc.
const HandshakeTime = handshakeTime

// ShakeHands is the primary's side of that.
func ShakeHands(conn net.Conn) error {
	return newLocalConn(conn).shakeHands(make([]byte, firstWords), 1<<20)
}

// MaxUnread is how much may wait for a peer.
const MaxUnread = maxUnread

// Unread is how much waits for all peers of a primary on ipc.
func Unread(i *Instance) (n int) {
	p := i.srv.port.(*localPort)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.mu.Lock()
		n += c.unread()
		c.mu.Unlock()
	}
	return n
}
