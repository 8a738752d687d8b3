package msgcore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// A Proxy forwards messages between two sockets, both ways where their types
// allow: ROUTER and DEALER share out requests (a queue), XSUB and XPUB pass on
// publications and subscriptions (a forwarder), PULL and PUSH pass on work (a
// streamer). It moves messages in batches and adds no queue of its own: a socket
// that waits holds back only what goes to it.
//
// Set the sockets, then call Run. The other methods may be called at any time,
// from any goroutine.
type Proxy struct {
	Frontend, Backend *Socket
	// Capture, if not nil, is sent a copy of each message; a message that it
	// has no room for is left out.
	Capture *Socket

	mu     sync.Mutex
	paused chan struct{} // closed by Resume; nil while messages are forwarded

	toBack, toFront proxyCounter
}

type proxyCounter struct{ messages, bytes, failed atomic.Uint64 }

// ProxyStats counts what a Proxy has forwarded.
type ProxyStats struct {
	// From Frontend to Backend, and back. Bytes are those of the frames.
	ToBackend, BytesToBackend   uint64
	ToFrontend, BytesToFrontend uint64
	// Failed are messages that the other socket refused, such as those for a
	// routing id that is gone, with Options.Router.Mandatory.
	Failed uint64
}

// proxyBatch is how many messages move at once.
const proxyBatch = 64

var errNoProxySockets = errors.New("msgcore: a Proxy needs a Frontend and a Backend")

// Run forwards until ctx ends or one of the sockets is closed, and returns why
// it ended.
func (p *Proxy) Run(ctx context.Context) error {
	if p.Frontend == nil || p.Backend == nil {
		return errNoProxySockets
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, way := range []struct {
		from, to *Socket
		n        *proxyCounter
	}{{p.Frontend, p.Backend, &p.toBack}, {p.Backend, p.Frontend, &p.toFront}} {
		if way.from.recvErr != nil {
			continue
		}
		wg.Go(func() {
			if err := p.forward(ctx, way.from, way.to, way.n); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// forward is one direction of Run. It returns nil if the sockets do not have it.
func (p *Proxy) forward(ctx context.Context, from, to *Socket, n *proxyCounter) error {
	msgs := make([]Msg, proxyBatch)
	for {
		if err := p.awaitResume(ctx); err != nil {
			return err
		}
		k, err := from.RecvBatch(ctx, msgs)
		if err != nil {
			return err
		}
		if err := p.awaitResume(ctx); err != nil {
			ReleaseBatch(msgs[:k])
			return err
		}
		for _, m := range msgs[:k] {
			size := 0
			for _, f := range m.Frames {
				size += len(f)
			}
			n.messages.Add(1)
			n.bytes.Add(uint64(size))
			if p.Capture != nil {
				_, _ = p.Capture.TrySend(m.Clone()) // what it has no room for is left out
			}
		}
		for batch := msgs[:k]; len(batch) > 0; {
			sent, err := to.SendBatch(ctx, batch)
			batch = batch[sent:]
			switch {
			case err == nil:
			case ctx.Err() != nil || errors.Is(err, errClosed):
				ReleaseBatch(batch)
				return err
			case errors.Is(err, errors.ErrUnsupported):
				ReleaseBatch(batch)
				return nil
			default: // this message cannot be sent; the next ones may
				n.failed.Add(1)
				batch[0].Release()
				batch = batch[1:]
			}
		}
		clear(msgs[:k])
	}
}

// Pause stops forwarding until Resume. A batch that is being sent goes through.
func (p *Proxy) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused == nil {
		p.paused = make(chan struct{})
	}
}

// Resume undoes Pause.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused != nil {
		close(p.paused)
		p.paused = nil
	}
}

func (p *Proxy) awaitResume(ctx context.Context) error {
	p.mu.Lock()
	paused := p.paused
	p.mu.Unlock()
	if paused == nil {
		return nil
	}
	select {
	case <-paused:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stats returns what was forwarded so far.
func (p *Proxy) Stats() ProxyStats {
	return ProxyStats{
		ToBackend: p.toBack.messages.Load(), BytesToBackend: p.toBack.bytes.Load(),
		ToFrontend: p.toFront.messages.Load(), BytesToFrontend: p.toFront.bytes.Load(),
		Failed: p.toBack.failed.Load() + p.toFront.failed.Load(),
	}
}
