package transporttest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/inproc"
	"github.com/solomq/solomq/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// brokenVar names the broken transport that this process is to run the suite on.
const brokenVar = "TRANSPORTTEST_BROKEN"

// inSpace is inproc with a name space of its own, to be broken in one place.
type inSpace struct {
	inproc.Transport
	space transport.Space
	dial  func(context.Context, string) (net.Conn, error)
	bind  func(context.Context, string) (net.Listener, error)
	meet  func(context.Context, string, any) error
	tell  func(string, func(any) error) (string, func(), error)
}

func newInSpace() *inSpace {
	s := &inSpace{}
	opts := &transport.Options{Space: &s.space}
	s.dial = func(ctx context.Context, a string) (net.Conn, error) { return s.Transport.Dial(ctx, a, opts) }
	s.bind = func(ctx context.Context, a string) (net.Listener, error) { return s.Transport.Listen(ctx, a, opts) }
	s.meet = func(ctx context.Context, a string, o any) error { return s.Transport.Meet(ctx, a, opts, o) }
	s.tell = func(a string, f func(any) error) (string, func(), error) { return s.Transport.Announce(a, opts, f) }
	return s
}

func (s *inSpace) Dial(ctx context.Context, addr string, _ *transport.Options) (transport.Conn, error) {
	return s.dial(ctx, addr)
}

func (s *inSpace) Listen(ctx context.Context, addr string, _ *transport.Options) (transport.Listener, error) {
	return s.bind(ctx, addr)
}

func (s *inSpace) Meet(ctx context.Context, addr string, _ *transport.Options, offer any) error {
	return s.meet(ctx, addr, offer)
}

func (s *inSpace) Announce(addr string, _ *transport.Options, accept func(any) error) (string, func(), error) {
	return s.tell(addr, accept)
}

// wrapDialed breaks every connection that is dialed.
func (s *inSpace) wrapDialed(wrap func(net.Conn) net.Conn) {
	dial := s.dial
	s.dial = func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		return wrap(c), nil
	}
}

// A readConn has a Read of its own, a writeConn a Write.
type readConn struct {
	net.Conn
	read func([]byte) (int, error)
}

func (c readConn) Read(p []byte) (int, error) { return c.read(p) }

type writeConn struct {
	net.Conn
	write func([]byte) (int, error)
}

func (c writeConn) Write(p []byte) (int, error) { return c.write(p) }

// A closeListener also closes what it has accepted.
type closeListener struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (l *closeListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.conns = append(l.conns, c)
	}
	return c, err
}

func (l *closeListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
	return l.Listener.Close()
}

var leak = make(chan struct{})

// brokenTransports break one promise each; the key is the subtest that sees it.
var brokenTransports = map[string]func(*inSpace){
	"Echo": func(s *inSpace) { // leaves a goroutine behind
		s.wrapDialed(func(c net.Conn) net.Conn {
			go func() { <-leak }()
			return c
		})
	},
	"LargeBothWays": func(s *inSpace) { // swaps two bytes of a large write
		s.wrapDialed(func(c net.Conn) net.Conn {
			return writeConn{c, func(p []byte) (int, error) {
				if len(p) > 60_000 {
					p[0], p[60_000] = p[60_000], p[0]
				}
				return c.Write(p)
			}}
		})
	},
	"ReadDeadline": func(s *inSpace) { // loses what came before the deadline
		s.bind = wrapAccepted(s.bind, func(c net.Conn) net.Conn {
			return readConn{c, func(p []byte) (int, error) {
				n, err := c.Read(p)
				if err != nil {
					err = fmt.Errorf("read: %v", err) // hides the cause
				}
				return n, err
			}}
		})
	},
	"WriteDeadline": func(s *inSpace) { // does not count what went out
		s.wrapDialed(func(c net.Conn) net.Conn {
			return writeConn{c, func(p []byte) (int, error) {
				n, err := c.Write(p)
				if err != nil && n > 0 {
					n--
				}
				return n, err
			}}
		})
	},
	"BufferReuse": func(s *inSpace) { // keeps the buffer until the next call
		s.wrapDialed(func(c net.Conn) net.Conn {
			var kept []byte
			return writeConn{c, func(p []byte) (int, error) {
				if kept != nil {
					if _, err := c.Write(kept); err != nil {
						return 0, err
					}
				}
				kept = p
				return len(p), nil
			}}
		})
	},
	"PeerCloses": func(s *inSpace) { // wraps io.EOF
		s.bind = wrapAccepted(s.bind, func(c net.Conn) net.Conn {
			return readConn{c, func(p []byte) (int, error) {
				n, err := c.Read(p)
				if err == io.EOF {
					err = fmt.Errorf("read: %w", err)
				}
				return n, err
			}}
		})
	},
	"CloseWakesRead": func(s *inSpace) { // reports the end, not the Close
		s.bind = wrapAccepted(s.bind, func(c net.Conn) net.Conn {
			return readConn{c, func(p []byte) (int, error) {
				n, err := c.Read(p)
				if errors.Is(err, net.ErrClosed) {
					err = io.EOF
				}
				return n, err
			}}
		})
	},
	"InUse": func(s *inSpace) { // steals the address
		bind := s.bind
		var last net.Listener
		s.bind = func(ctx context.Context, addr string) (net.Listener, error) {
			if last != nil {
				last.Close()
			}
			l, err := bind(ctx, addr)
			last = l
			return l, err
		}
	},
	"BadAddr": func(s *inSpace) { // takes "" for a wildcard
		bind := s.bind
		s.bind = func(ctx context.Context, addr string) (net.Listener, error) {
			if addr == "" {
				addr = "*"
			}
			return bind(ctx, addr)
		}
	},
	"AcceptedOutlive": func(s *inSpace) {
		bind := s.bind
		s.bind = func(ctx context.Context, addr string) (net.Listener, error) {
			l, err := bind(ctx, addr)
			if err != nil {
				return nil, err
			}
			return &closeListener{Listener: l}, nil
		}
	},
	"DialCanceled": func(s *inSpace) { // does not look at the context
		dial := s.dial
		s.dial = func(ctx context.Context, addr string) (net.Conn, error) {
			return dial(context.WithoutCancel(ctx), addr)
		}
	},
	"MeetRefused": func(s *inSpace) { // wraps accept's error
		meet := s.meet
		s.meet = func(ctx context.Context, addr string, offer any) error {
			if err := meet(ctx, addr, offer); err != nil {
				return fmt.Errorf("meet: %w", err)
			}
			return nil
		}
	},
	"AnnounceInUse": func(s *inSpace) { // keeps two tables of names
		other := &transport.Options{Space: new(transport.Space)}
		s.tell = func(addr string, accept func(any) error) (string, func(), error) {
			return s.Transport.Announce(addr, other, accept)
		}
		s.meet = func(ctx context.Context, addr string, offer any) error {
			return s.Transport.Meet(ctx, addr, other, offer)
		}
	},
}

// A wrapListener wraps what it accepts.
type wrapListener struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (l wrapListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.wrap(c), nil
}

type bindFunc = func(context.Context, string) (net.Listener, error)

func wrapAccepted(bind bindFunc, wrap func(net.Conn) net.Conn) bindFunc {
	return func(ctx context.Context, addr string) (net.Listener, error) {
		l, err := bind(ctx, addr)
		if err != nil {
			return nil, err
		}
		return wrapListener{l, wrap}, nil
	}
}

// The suite finds what is broken: each broken transport fails its subtest, in a
// process of its own, and the same one unbroken passes.
func TestSuiteFindsBrokenTransports(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	run := func(subtest, broken string) (string, error) {
		cmd := exec.Command(exe, "-test.run=^TestBrokenTransport$/^"+subtest+"$", "-test.v")
		cmd.Env = append(os.Environ(), brokenVar+"="+broken, "GORACE=atexit_sleep_ms=0")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for subtest := range brokenTransports {
		t.Run(subtest, func(t *testing.T) {
			out, err := run(subtest, subtest)
			require.Error(t, err, out)
			require.Contains(t, out, "--- FAIL: TestBrokenTransport/"+subtest+" ", "%s", out)
			out, err = run(subtest, "nothing")
			require.NoError(t, err, out)
			require.Contains(t, out, "--- PASS: TestBrokenTransport/"+subtest+" ", "%s", out)
		})
	}
}

// TestBrokenTransport is what the processes of the test above run.
func TestBrokenTransport(t *testing.T) {
	name := os.Getenv(brokenVar)
	if name == "" {
		t.Skip("runs in a process of its own, started by TestSuiteFindsBrokenTransports")
	}
	s := newInSpace()
	if damage := brokenTransports[name]; damage != nil {
		damage(s)
	}
	transporttest.Run(t, s, func(testing.TB) string { return "*" })
}
