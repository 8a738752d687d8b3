package msgcore_test

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/solomq/solomq/transport"
)

// A fake is the transport of one address of the scheme "fake": a test decides
// what dialing and accepting there comes to.
type fake struct {
	dial   func(ctx context.Context) (net.Conn, error)
	accept func() (net.Conn, error)
	close  func()
}

// fakes are in use, by their addresses.
var fakes sync.Map

type fakeTransport struct{}

func init() { transport.Register("fake", fakeTransport{}) }

var errNoFake = errors.New("fake: nobody has set this address up")

func (fakeTransport) Dial(ctx context.Context, addr string, _ *transport.Options) (transport.Conn, error) {
	if f, ok := fakes.Load(addr); ok {
		return f.(*fake).dial(ctx)
	}
	return nil, errNoFake
}

func (fakeTransport) Listen(_ context.Context, addr string, _ *transport.Options) (transport.Listener, error) {
	if f, ok := fakes.Load(addr); ok {
		return fakeListener{f.(*fake), addr}, nil
	}
	return nil, errNoFake
}

type fakeListener struct {
	f    *fake
	addr string
}

func (l fakeListener) Accept() (net.Conn, error) { return l.f.accept() }
func (l fakeListener) Addr() net.Addr            { return fakeAddr(l.addr) }

func (l fakeListener) Close() error {
	l.f.close()
	return nil
}

type fakeAddr string

func (fakeAddr) Network() string  { return "fake" }
func (a fakeAddr) String() string { return string(a) }

// setUp makes f the transport of addr and returns its endpoint.
func (f *fake) setUp(addr string) string {
	fakes.Store(addr, f)
	return "fake://" + addr
}
