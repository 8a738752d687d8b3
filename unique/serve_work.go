package unique

import (
	"errors"
	"net"
	"time"
)

// The goroutines of a localPort. At any time exactly one of them waits for the next
// connection of a listener that is open, or is to: because it has just accepted one and
// has a duty to see to the next (visit.next), which it takes back to do that itself, or
// leaves to be done.

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
		return doneDuty
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
	acceptPauseMost  = 200 * time.Millisecond
)
