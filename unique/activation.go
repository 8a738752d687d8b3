package unique

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/solomq/solomq/transport"
)

// Activated returns the socket that a service manager holds for this process
// (sd_listen_fds(3) of systemd), for Options.Listener, and nil if there is none.
// The unit of the socket listens at the Location.Socket that Where tells, with
// DirectoryMode=0700, and the service has ModeService: it is started by the
// first launch that has ModeLauncher.
//
// What the manager said is taken out of the environment, so that children do not
// think it was for them.
func Activated() (net.Listener, error) {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	if n, err := strconv.Atoi(pid); err != nil || n != os.Getpid() {
		return nil, nil
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name) // the names are valid
	}
	if n, err := strconv.Atoi(count); err != nil || n != 1 {
		return nil, fmt.Errorf("unique: the service manager holds %q sockets for this process, want one", count)
	}
	const first = 3 // of the descriptors that are passed
	f := os.NewFile(first, "control socket")
	defer f.Close()
	l, err := net.FileListener(f) // of a copy that children do not inherit
	if err != nil {
		return nil, fmt.Errorf("unique: what the service manager holds for this process is no socket that listens: %w", err)
	}
	return l, nil
}

// passedScheme is the scheme of the control socket that was passed to us. The
// address is its number in passed.
const passedScheme = "unique-passed"

func init() { transport.Register(passedScheme, passedTransport{}) }

var passed struct {
	sync.Mutex
	last      int
	listeners map[string]net.Listener
}

// passListener makes l reachable by its address.
func passListener(l net.Listener) (addr string) {
	passed.Lock()
	defer passed.Unlock()
	if passed.listeners == nil {
		passed.listeners = map[string]net.Listener{}
	}
	passed.last++
	addr = strconv.Itoa(passed.last)
	passed.listeners[addr] = l
	return addr
}

type passedTransport struct{}

// Dial implements transport.Transport: others connect to the socket itself.
func (passedTransport) Dial(context.Context, string, *transport.Options) (transport.Conn, error) {
	return nil, errors.ErrUnsupported
}

// Listen implements transport.Transport.
func (passedTransport) Listen(_ context.Context, addr string, opts *transport.Options) (transport.Listener, error) {
	passed.Lock()
	defer passed.Unlock()
	l := passed.listeners[addr]
	if l == nil {
		return nil, errors.New("unique: there is no such socket")
	}
	delete(passed.listeners, addr)
	var admit func(transport.Cred) error
	if opts != nil {
		admit = opts.Credentials
	}
	return &passedSocket{Listener: l, addr: addr, admit: admit}, nil
}

// A passedSocket admits peers as a socket of ipc does.
type passedSocket struct {
	net.Listener
	addr  string
	admit func(transport.Cred) error
}

// Addr implements net.Listener.
func (l *passedSocket) Addr() net.Addr { return passedAddr(l.addr) }

type passedAddr string

// Network implements net.Addr.
func (passedAddr) Network() string { return passedScheme }

// String implements net.Addr.
func (a passedAddr) String() string { return string(a) }

// Accept implements net.Listener.
func (l *passedSocket) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		p := &passedConn{c}
		cred, err := p.PeerCred()
		if err == nil && (l.admit == nil || l.admit(cred) == nil) {
			return p, nil
		}
		_ = c.Close() // of somebody who is none of ours
	}
}

// A passedConn knows its peer.
type passedConn struct{ net.Conn }

// PeerCred implements transport.CredConn.
func (c *passedConn) PeerCred() (transport.Cred, error) { return credOf(c.Conn) }

// listenPassed opens the control endpoint at the socket of Options.Listener.
func (i *Instance) listenPassed(ctx context.Context) (*routerPort, record, error) {
	l := i.opts.Listener
	port, _, err := listen(ctx, passedScheme+"://"+passListener(l), i.opts.MaxRequest, i.site.trust(), nil)
	if err != nil {
		return nil, record{}, err
	}
	port.passed = true
	return port, record{Endpoint: "ipc://" + l.Addr().String()}, nil
}

// knock asks at the place of the socket although no primary has published: a
// service manager may listen there, and start one.
func (i *Instance) knock(ctx context.Context) (*link, error) {
	path := i.site.socketPath("")
	if !exists(path) {
		return nil, ErrNoPrimary
	}
	h := Holder{UID: -1, Endpoint: "ipc://" + path}
	start := time.Now()
	l, err := greetAt(ctx, h, nil, nil, i.site.trust(), i.opts, start.Add(i.opts.Timeouts.Start))
	switch {
	case isNobody(err):
		return nil, ErrNoPrimary
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case isTimeout(err):
		return nil, &UnresponsiveError{Holder: h, Step: "hello", After: time.Since(start)}
	}
	return l, err
}
