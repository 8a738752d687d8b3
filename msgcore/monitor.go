package msgcore

import (
	"sync"
	"time"
)

// maxEvents is how many events wait for a slow Options.Monitor.
const maxEvents = 1024

// A monitor calls Options.Monitor, on a goroutine of its own.
type monitor struct {
	s     *Socket
	queue chan Event
	done  sync.WaitGroup
	drops *dropTeller

	mu     sync.Mutex // guards closed, and sends on queue against its end
	closed bool
}

func newMonitor(s *Socket) *monitor {
	m := &monitor{s: s, queue: make(chan Event, maxEvents), drops: newDropTeller(s)}
	m.done.Add(1)
	go func() {
		defer m.done.Done()
		for e := range m.queue {
			s.opts.Monitor(e)
		}
	}()
	return m
}

// event counts and reports e.
func (s *Socket) event(e Event) {
	s.happened[e.Kind].Add(1)
	if s.events == nil {
		return
	}
	m := s.events
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	e.Time = time.Now()
	select {
	case m.queue <- e:
	default:
		s.untold.Add(1)
	}
}

// close waits until every event is told. What others still report, an Unbind
// beside Close or the other end of an inproc link, is not told any more.
func (m *monitor) close() {
	m.drops.end()
	m.mu.Lock()
	m.closed = true
	close(m.queue)
	m.mu.Unlock()
	m.done.Wait()
}
