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
// last answer. What a socket does beyond that is to keep strangers and slow
// peers from harming others, and who comes here is one of our user's processes, which
// the kernel has said before the first byte is read.
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

// await has somebody wait for the next connection. Whoever calls it is one of begun, or
// holds mu.
func (p *localPort) await(l net.Listener) {
	select {
	case p.hire <- l:
	default:
		p.begun.Go(func() { p.work(nil, l) })
	}
}

// awaitLater is await that waits a moment, in which most visits end; not in a crowd,
// where each of them would wait for the one before.
func (p *localPort) awaitLater(l net.Listener, crowd bool) *duty {
	if crowd {
		p.await(l)
		return done
	}
	return p.later.putOff(func() { p.await(l) })
}

// atOnce is how long it takes to accept a connection that was there already, at most: it
// tells that there is a crowd.
const atOnce = 20 * time.Microsecond

// work goes on with a visit, if there is one, and then accepts one connection after the
// other, as long as nobody else does.
func (p *localPort) work(v *visit, l net.Listener) {
	room := make([]byte, firstWords)
	for {
		if v == nil {
			start := time.Now()
			conn := p.accept(l)
			if conn == nil {
				return
			}
			v = newVisit(p, conn, l, room, time.Since(start) < atOnce)
		}
		if !v.listen() {
			return
		}
		if !v.next.takeBack() && !p.waitForHire(&l) {
			return
		}
		v = nil
	}
}

// accept waits for the next connection. It returns nil once l is closed.
func (p *localPort) accept(l net.Listener) net.Conn {
	var pause *pause
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			return conn
		case errors.Is(err, net.ErrClosed):
			return nil
		}
		debugf("no connection could be accepted: %v", err) // too many open files, perhaps
		if pause == nil {
			pause = newPause(acceptPauseFirst, acceptPauseMost)
		}
		if pause.wait(p.life) != nil {
			return nil
		}
	}
}

// mostSpare is how many goroutines are kept that have nothing to do: the stack of one
// that has served has the size which that takes. Launches overlap, but seldom many.
const mostSpare = 2

// waitForHire waits until somebody is needed, and sets l to where. It returns false if
// nobody will be, or there are others.
func (p *localPort) waitForHire(l *net.Listener) bool {
	defer p.spare.Add(-1)
	if p.spare.Add(1) > mostSpare {
		return false
	}
	select {
	case *l = <-p.hire:
		return true
	case <-p.life.Done():
		return false
	}
}

// firstWords is how much is read at once of what a peer has said already, in bytes.
const firstWords = 1 << 10

// Pauses after an error of Accept.
const (
	acceptPauseFirst = 5 * time.Millisecond
	acceptPauseMost  = time.Second
)

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

// send queues frames for the peer; it is never in want of room, as the port says it may
// be, because the windows of the streams bound what is queued.
func (p *localPort) send(_ context.Context, to string, frames [][]byte) error {
	c := p.find(to)
	if c == nil {
		return errPeerGone
	}
	return c.z.WriteMessage(frames...)
}

var errPeerGone = errors.New("unique: the peer is gone")

// maxUnread is how much may wait for a peer that does not read before it loses answers.
const maxUnread = 1 << 20

func (p *localPort) trySend(to string, frames [][]byte) {
	if c := p.find(to); c != nil && c.unsent() < maxUnread {
		_ = c.z.WriteMessage(frames...) // a connection that is broken ends where it is read
	}
}

// rebind listens on endpoint anew, whose file was removed. Connections stay.
func (p *localPort) rebind(ctx context.Context, endpoint string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil || p.endpoint == "" {
		return nil
	}
	_ = p.listener.Close() // what it could complain about is that the file is gone
	l, err := listenAt(ctx, endpoint, p.admit)
	if err != nil {
		return err
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
	p.end()
	p.later.close()
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	for _, c := range conns {
		c.finish(ctx)
	}
	return err
}
