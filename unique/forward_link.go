package unique

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
	_ "github.com/solomq/solomq/transport/ipc" // the endpoint of every primary
)

// A link is a connection of a secondary to the primary, which has said WELCOME.
// It does not use a socket of msgcore, because it must know when the connection
// ends and must never send anything twice.
type link struct {
	conn   *patientConn
	z      *zmtp.Conn
	holder Holder
	limit  int64     // the largest request, as counted by message.size
	idle   bool      // time may have passed since WELCOME
	met    time.Time // when WELCOME came, the first time
	asked  bool      // the REQUEST of the Instance has gone out with HELLO
	in     message   // the last one that has come

	mechanism zmtp.Mechanism // nil on ipc
}

// A nobodyError says that no primary answers where the record says, and that
// none is asleep there either.
type nobodyError struct{ err error }

func (e *nobodyError) Error() string { return "unique: nobody answers: " + e.err.Error() }
func (e *nobodyError) Unwrap() error { return e.err }

// greet connects to the primary that the record of s names and says HELLO, and asks at
// once what is in early, if it is not nil and may be. It returns a *nobodyError if there
// is none, and an *UnresponsiveError if it has not answered by the deadline.
func (s *site) greet(ctx context.Context, opts *Options, early *message, deadline time.Time) (*link, error) {
	start := time.Now()
	r, err := s.readRecord()
	if err != nil {
		return nil, &nobodyError{err}
	}
	h := Holder{PID: r.PID, UID: r.UID, Version: r.AppVersion, Started: r.Started, Endpoint: r.Endpoint}
	if least := start.Add(grace); deadline.Before(least) {
		deadline = least // this process was stopped: give the primary a chance
	}
	mechanism, err := s.clientOf(&r)
	if err != nil {
		return nil, &nobodyError{err}
	}
	l, err := greetAt(ctx, h, &r.Generation, mechanism, s.trust(), opts, early, deadline)
	if err == nil || ctx.Err() == nil && !isTimeout(err) {
		return l, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, &UnresponsiveError{Holder: h, Step: "hello", After: time.Since(start)}
}

// greetAt is greet for a record that was read; with generation nil, for none. That the deadline has passed is
// an error that isTimeout knows.
func greetAt(ctx context.Context, h Holder, generation *[16]byte, mechanism zmtp.Mechanism, trusts *trust, opts *Options, early *message, deadline time.Time) (*link, error) {
	raw, err := dial(ctx, h, trusts, deadline)
	if err != nil {
		return nil, err
	}
	fault("dialed")
	conn := &patientConn{Conn: raw}
	l := &link{conn: conn, holder: h, mechanism: mechanism}
	if err := l.open(ctx, generation, opts, early, deadline); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return l, nil
}

func dial(ctx context.Context, to Holder, trusts *trust, deadline time.Time) (transport.Conn, error) {
	scheme, addr, _ := strings.Cut(to.Endpoint, "://")
	t, ok := transport.Lookup(scheme)
	if !ok {
		return nil, fmt.Errorf("unique: the primary is at an endpoint of unknown scheme %q: %w", scheme, errors.ErrUnsupported)
	}
	conn, err := dialNow(scheme, addr, to.PID, trusts)
	if conn == nil && err == nil {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		conn, err = t.Dial(ctx, addr, &transport.Options{Credentials: trusts.server})
	}
	var other *OtherUserError
	switch {
	case err == nil:
		return conn, nil
	case errors.As(err, &other):
		return nil, other
	case isTimeout(err):
		return nil, err
	}
	return nil, &nobodyError{err}
}

// dialNow returns a connection that suits a process of a short life, or nil. In the
// process of the primary itself, whose goroutines are to answer, nobody may wait in
// the system while holding a processor.
func dialNow(scheme, addr string, pid int, trusts *trust) (transport.Conn, error) {
	if scheme != "ipc" || pid == os.Getpid() {
		return nil, nil
	}
	return dialBrief(addr, trusts.server)
}

// open goes from a connection to WELCOME.
func (l *link) open(ctx context.Context, generation *[16]byte, opts *Options, early *message, deadline time.Time) (err error) {
	defer l.during(ctx)()
	// The deadline is the connection's, not one of a context: those know only
	// the clock, while the connection first looks at what has arrived.
	if err := l.conn.SetDeadline(deadline); err != nil {
		return &nobodyError{err}
	}
	cfg := &zmtp.Config{
		Mechanism:  l.mechanism,
		Properties: zmtp.Properties{zmtp.SocketType: "DEALER"},
		ReadAhead:  true,
		MaxFrame:   wireLimit(maxRequestLimit),
		MaxMessage: wireLimit(maxRequestLimit),
	}
	if l.mechanism == nil {
		// The kernel has said who the other side is: no secret is told too early.
		cfg.Early = [][][]byte{helloMessage(opts).frames()}
		if early != nil {
			cfg.Early = append(cfg.Early, early.frames())
			l.asked = true
		}
	}
	l.z, err = zmtp.Handshake(context.WithoutCancel(ctx), l.conn, cfg)
	if err == nil {
		fault("shaken")
		if l.mechanism != nil {
			err = l.hello(opts)
		}
	}
	for err == nil {
		fault("greeted")
		var m *message
		if m, err = l.recv(deadline); err != nil {
			break
		}
		switch m.Kind {
		case kindWelcome:
			if generation != nil && m.Generation != *generation {
				return &nobodyError{errors.New("a primary answers that is not the one of the record")}
			}
			l.welcome(m)
			fault("welcome")
			l.met = time.Now()
			debugf("pid %d says welcome, it is %v", l.holder.PID, l.holder.State)
			return l.conn.SetDeadline(time.Time{})
		case kindRefused:
			return l.refused(m)
		}
	}
	if isTimeout(err) {
		return err
	}
	return &nobodyError{err}
}

// during makes what l waits for end when ctx ends, until the function that it
// returns is called.
func (l *link) during(ctx context.Context) (release func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	stop := context.AfterFunc(ctx, l.conn.cut)
	return func() { stop() }
}

// refused is the error for a REFUSED.
func (l *link) refused(m *message) error {
	if m.Code == refusedVersion {
		return &VersionError{Holder: l.holder, Protocol: true}
	}
	return &RefusedError{Holder: l.holder, Reason: m.Reason}
}

func (l *link) welcome(m *message) {
	l.holder.State, l.holder.Successor = m.State, int(m.Successor)
	if l.limit = int64(min(m.Limit, maxRequestLimit)); l.limit == 0 {
		l.limit = maxRequestLimit
	}
	if m.PID != 0 {
		l.holder.PID = int(m.PID)
	}
}

func (l *link) hello(opts *Options) error { return l.send(helloMessage(opts)) }

func helloMessage(opts *Options) *message {
	return &message{Kind: kindHello, MinVersion: wireVersion, MaxVersion: wireVersion, AppVersion: opts.Version}
}

// send may be called from several goroutines.
func (l *link) send(m *message) error { return l.z.WriteMessage(m.frames()...) }

// recv waits for the next message, until the deadline if there is one; it is valid until
// the next recv. Messages of versions that are not spoken here are passed over.
func (l *link) recv(deadline time.Time) (*message, error) {
	if err := l.conn.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	for {
		frames, err := l.z.ReadMessage()
		if err != nil {
			return nil, err
		}
		err = l.in.decode(frames)
		if err == nil || !errors.Is(err, errVersion) {
			return &l.in, err
		}
	}
}

func (l *link) close() {
	if l.z != nil {
		_ = l.z.Close()
		return
	}
	_ = l.conn.Close()
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
