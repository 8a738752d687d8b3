package msgcore

import (
	"context"
	"errors"
	"fmt"

	_ "github.com/solomq/solomq/transport/inproc" // the obvious programs work
	_ "github.com/solomq/solomq/transport/ipc"    // without imports of their own
	_ "github.com/solomq/solomq/transport/tcp"

	"github.com/solomq/solomq/transport"
)

// An endpoint is one that the socket is bound or connected to.
type endpoint struct {
	name    string // with wildcards resolved
	given   string // as the application said it
	bound   bool
	packets bool               // it carries packets; who sends to it or receives from it is not known
	cancel  context.CancelFunc // ends its goroutine
	close   func()             // stops listening; nil for one that is connected
	done    chan struct{}      // closed when its goroutine has ended; nil for one that listens
}

var (
	errNotBound     = errors.New("not bound to this endpoint")
	errNotConnected = errors.New("not connected to this endpoint")
)

// resolve finds the transport of an endpoint.
func (s *Socket) resolve(name string) (transport.Endpoint, transport.Transport, error) {
	ep, err := transport.ParseEndpoint(name)
	if err != nil {
		return ep, nil, err
	}
	if find := s.opts.Transports; find != nil {
		tr, ok := find(ep.Scheme)
		if !ok {
			return ep, nil, fmt.Errorf("no transport for scheme %q among Options.Transports", ep.Scheme)
		}
		return ep, tr, nil
	}
	tr, ok := transport.Lookup(ep.Scheme)
	if !ok {
		return ep, nil, fmt.Errorf("no transport for scheme %q; there are %v", ep.Scheme, transport.Schemes())
	}
	return ep, tr, nil
}

// begin checks that s can still get an endpoint, and keeps Close out until
// commit or abandon.
func (s *Socket) begin() error {
	if s.optErr != nil {
		return s.optErr
	}
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return errClosed
	}
	return nil
}

// Unbind stops listening on endpoint, which is named as Bind was given it or
// has returned it. Connections that were accepted remain.
func (s *Socket) Unbind(endpoint string) error {
	return s.endEndpoint("unbind", endpoint, true, errNotBound)
}

// Disconnect closes the connection to endpoint, as Connect was given it, and
// does not dial it again. When it returns nothing goes there any more. What is
// queued for it alone and not sent is dropped and counted.
func (s *Socket) Disconnect(endpoint string) error {
	return s.endEndpoint("disconnect", endpoint, false, errNotConnected)
}

func (s *Socket) endEndpoint(op, name string, bound bool, none error) error {
	if s.optErr != nil {
		return s.optErr
	}
	s.mu.Lock()
	var e *endpoint
	for i, c := range s.endpoints {
		if c.bound == bound && (c.name == name || c.given == name) {
			e = c
			s.endpoints = append(s.endpoints[:i], s.endpoints[i+1:]...)
			break
		}
	}
	closing := s.closing
	s.mu.Unlock()
	switch {
	case closing:
		return s.fail(op, name, errClosed)
	case e == nil:
		return s.fail(op, name, none)
	}
	e.end()
	if bound {
		s.event(Event{Kind: Closed, Endpoint: e.name})
	}
	if e.done != nil {
		<-e.done
	}
	return nil
}

func (e *endpoint) end() {
	e.cancel()
	if e.close != nil {
		e.close()
	}
}
