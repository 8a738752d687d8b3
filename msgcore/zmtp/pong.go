package zmtp

import "sync"

// A ponger answers PINGs. The reader must not do it by itself: two sides whose
// readers wait to write, because nobody reads, would wait for ever. So it leaves
// the context here, where whoever writes next takes it along, and a goroutine does
// when nobody writes. A PING before the last one is answered replaces it, as in
// libzmq.
type ponger struct {
	mu      sync.Mutex // guards the fields below; taken within writer.mu
	context [MaxPingContext]byte
	n       int
	pending bool // context[:n] is not answered
	running bool // a goroutine is on its way to answer
	stopped bool // Close was called: start no more goroutine
	wg      sync.WaitGroup
}

func (p *ponger) answer(c *Conn, context []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n = copy(p.context[:], context)
	p.pending = true
	if p.running || p.stopped {
		return
	}
	p.running = true
	p.wg.Go(func() {
		w := &c.traffic().w
		w.mu.Lock()
		defer w.mu.Unlock()
		p.mu.Lock()
		p.running = false
		p.mu.Unlock()
		// Within a message it stays for the writer of the last frame (RFC 37: a
		// message's frames follow one another). Errors stay in the writer.
		if !w.more && p.take(c) == nil {
			c.flush()
		}
	})
}

// take buffers the PONG that is due. The caller holds writer.mu.
func (p *ponger) take(c *Conn) error {
	w := &c.traffic().w
	p.mu.Lock()
	pending, context := p.pending, p.context[:p.n]
	if pending {
		p.pending = false
		w.body = AppendCommandBody(w.body[:0], CommandPong, context)
	}
	p.mu.Unlock()
	if !pending {
		return nil
	}
	return c.bufferFrame(Frame{Command: true, Body: w.body})
}

func (p *ponger) stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
}

func (p *ponger) wait() { p.wg.Wait() }
