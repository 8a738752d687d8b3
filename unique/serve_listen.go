package unique

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/ipc"
)

// A localPort is the port on ipc: to its peers a ROUTER socket. It does without one,
// because a launch waits for every step between the connection and its handler: one
// goroutine accepts a peer, reads what it says, has it handled, sends the answers and runs
// the handler. Others begin when it takes longer than a moment (relief), and after the
// last answer. What a socket does beyond that is to keep strangers from harming others,
// and who comes here is one of our user's processes, or was admitted by Options.Admit: the
// kernel has said so before the first byte is read.
type localPort struct {
	limit int64 // of a message, in bytes
	admit *trust
	life  context.Context // ends with close
	end   context.CancelFunc
	begun sync.WaitGroup    // goroutines that accept and serve
	hire  chan net.Listener // for those of them that have nothing to do
	spare atomic.Int32      // how many these are
	later *relief

	mu       sync.Mutex          // guards what follows
	handle   func(packet) func() // nil until run
	listener net.Listener        // nil once closed
	endpoint string              // of a listener that we have made; "": it was passed
	conns    map[string]*localConn
	last     uint64 // the id of the newest
}

// listenLocal opens the primary's control endpoint on ipc.
func listenLocal(ctx context.Context, endpoint string, maxRequest int64, admit *trust) (*localPort, string, error) {
	l, err := listenAt(ctx, endpoint, admit)
	if err != nil {
		return nil, "", err
	}
	p := newLocalPort(l, maxRequest, admit)
	p.endpoint = ipcPrefix + l.Addr().String()
	return p, p.endpoint, nil
}

// servePassed is listenLocal for a listener that a service manager holds.
func servePassed(l net.Listener, maxRequest int64, admit *trust) *localPort {
	return newLocalPort(ipc.Passed(l, &transport.Options{Credentials: admit.caller}), maxRequest, admit)
}

func newLocalPort(l transport.Listener, maxRequest int64, admit *trust) *localPort {
	p := &localPort{limit: wireLimit(maxRequest), admit: admit, listener: l, hire: make(chan net.Listener), conns: make(map[string]*localConn)}
	p.life, p.end = context.WithCancel(context.Background())
	p.later = newRelief(p.begun.Go)
	return p
}

const ipcPrefix = "ipc://"

func listenAt(ctx context.Context, endpoint string, admit *trust) (transport.Listener, error) {
	return ipc.Transport{}.Listen(ctx, endpoint[len(ipcPrefix):], &transport.Options{Credentials: admit.caller})
}

func (p *localPort) run(handle func(packet) func()) error {
	p.mu.Lock()
	p.handle = handle
	if p.listener != nil {
		p.await(p.listener)
	}
	p.mu.Unlock()
	<-p.life.Done()
	p.begun.Wait()
	return net.ErrClosed
}

// add makes c one of the connections; false if we have closed.
func (p *localPort) add(c *localConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return false
	}
	p.last++
	c.id = strconv.FormatUint(p.last, 36)
	p.conns[c.id] = c
	return true
}

func (p *localPort) remove(c *localConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c.id)
}

func (p *localPort) find(id string) *localConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns[id]
}

// send queues frames for the peer, and never waits: the windows of the streams bound what
// is queued, and a peer that does not listen to the ends of its calls is not heard any
// more.
func (p *localPort) send(_ context.Context, to string, frames [][]byte) error {
	c := p.find(to)
	if c == nil {
		return errPeerGone
	}
	return c.send(frames)
}

var errPeerGone = errors.New("unique: the peer is gone")

func (p *localPort) trySend(to string, frames [][]byte) {
	if c := p.find(to); c != nil && !c.isDeaf() {
		_ = c.send(frames) // a connection that is broken ends where it is read
	}
}

// mayRebind reports whether the listener is one that we have made.
func (p *localPort) mayRebind() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listener != nil && p.endpoint != ""
}

// rebind listens on endpoint anew, whose file was removed. Connections stay. It may have
// to wait for others that bind in the same directory. One at a time.
func (p *localPort) rebind(ctx context.Context, endpoint string) error {
	p.mu.Lock()
	old := p.listener
	p.mu.Unlock()
	if old == nil {
		return nil
	}
	_ = old.Close() // what it could complain about is that the file is gone
	l, err := listenAt(ctx, endpoint, p.admit)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil { // closed meanwhile
		_ = l.Close()
		return nil
	}
	p.listener = l
	if p.handle != nil {
		p.await(l)
	}
	return nil
}

// lastAnswers is how long peers that take nothing keep us from closing.
const lastAnswers = time.Second

// close waits for what is queued to be taken by the system: from there it reaches the
// peer although the connection ends.
func (p *localPort) close() error {
	p.mu.Lock()
	l := p.listener
	p.listener = nil
	conns := slices.Collect(maps.Values(p.conns))
	p.mu.Unlock()
	if l == nil {
		return nil
	}
	err := l.Close()
	if errors.Is(err, net.ErrClosed) { // by a rebind that has not succeeded
		err = nil
	}
	p.end()
	p.later.close()
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	for _, c := range conns {
		c.finish(ctx)
	}
	return err
}
