package msgcore

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/ipc"
)

var (
	errNoListener = errors.New("there is no listener")
	errNoConn     = errors.New("there is no connection")
)

// BindListener is Bind for a listener that was made elsewhere: one that a service
// manager has passed to this process, one with TLS, or one of another library. It
// returns the endpoint, "tcp://" or "ipc://" and the listener's address if it is
// of the kind that these have, by which Unbind ends it.
//
// From then on the listener is the socket's, which closes it; after an error it
// still is the caller's. Of Options.Transport only Credentials, RecvBuffer and
// SendBuffer count, and these for listeners of Unix sockets only: the rest was up
// to whoever has made it. A DGRAM has no use for it.
func (s *Socket) BindListener(l net.Listener) (bound string, err error) {
	if l == nil {
		return "", s.fail("bind", "", errNoListener)
	}
	name := endpointOf(l.Addr())
	if err := s.beginPassed("bind", name); err != nil {
		return "", err
	}
	defer s.mu.Unlock()
	e := &endpoint{name: name, given: name, bound: true}
	opts := s.opts.Transport
	opts.Credentials = s.tellingRefusals(e)
	s.accepting(e, passedListener{ipc.Passed(l, &opts)})
	s.listening(e)
	return e.name, nil
}

// ConnectConn is Connect for a connection that was made elsewhere, to a peer that
// has bound, or accepted it. It returns the endpoint, "tcp://" or "ipc://" and the
// remote address if it is of the kind that these have, by which Disconnect ends it.
//
// From then on the connection is the socket's, which closes it; after an error it
// still is the caller's. Nobody can dial it again: when it has ended, so has the
// endpoint, as a Closed event tells. What is said of options at BindListener holds
// here, too.
func (s *Socket) ConnectConn(c net.Conn) (connected string, err error) {
	if c == nil {
		return "", s.fail("connect", "", errNoConn)
	}
	name := endpointOf(c.RemoteAddr())
	ours, err := ipc.PassedConn(c, &s.opts.Transport) // not under mu: it asks the application
	if err != nil {
		return "", s.fail("connect", name, err)
	}
	if err := s.beginPassed("connect", name); err != nil {
		return "", err
	}
	defer s.mu.Unlock()
	if err := s.dialing(&dialer{s: s, name: name, passed: onlyMethods(ours)}); err != nil {
		return "", s.fail("connect", name, err)
	}
	return name, nil
}

// beginPassed is begin for what is no packets, and wraps the error.
func (s *Socket) beginPassed(op, name string) error {
	if err := s.begin(); err != nil {
		return s.wrap(op, name, err)
	}
	scheme, _, _ := strings.Cut(name, "://")
	if err := s.checkScheme(scheme, nil); err != nil {
		s.mu.Unlock()
		return s.fail(op, name, err)
	}
	return nil
}

// endpointOf names a as an endpoint.
func endpointOf(a net.Addr) string {
	if a == nil {
		return "unknown://unknown"
	}
	scheme := a.Network()
	switch scheme {
	case "tcp4", "tcp6":
		scheme = "tcp"
	case "unix":
		scheme = "ipc"
	}
	return fmt.Sprintf("%s://%s", scheme, a)
}

// A passedListener is one that was made elsewhere.
type passedListener struct{ net.Listener }

// Accept waits for the next connection.
func (l passedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return onlyMethods(c), nil
}

// onlyMethods hides the descriptor of a connection that may do more than that
// would, as one of crypto/tls, or one that embeds a *net.TCPConn to count its
// bytes, so that it is read and written by its methods alone.
func onlyMethods(c net.Conn) net.Conn {
	switch c := c.(type) {
	case *net.TCPConn, transport.CredConn: // it is one of ours
		return c
	case interface{ CloseWrite() error }:
		return halfConn{methodConn{c.(net.Conn)}}
	}
	return methodConn{c}
}

type methodConn struct{ net.Conn }

type halfConn struct{ methodConn }

// CloseWrite ends the sending half.
func (c halfConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}
