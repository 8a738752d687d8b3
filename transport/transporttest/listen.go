package transporttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/solomq/solomq/transport"
)

// boundAddr checks that the text of a resolved address is stable, and is one to
// listen on as well.
func (s *suite) boundAddr(t *testing.T) {
	l := s.listen(t)
	at := l.Addr().String()
	if at == "" {
		t.Fatal("Addr is empty")
	}
	s.pair(t, l)
	if now := l.Addr().String(); now != at {
		t.Errorf("Addr was %q and is %q", at, now)
	}
	if l.Addr().Network() == "" {
		t.Error("Addr has no Network")
	}
}

// badAddr checks that nonsense is an error, not a wait or a panic.
func (s *suite) badAddr(t *testing.T) {
	ctx := within(t)
	if l, err := s.tr.Listen(ctx, "", nil); err == nil {
		l.Close()
		t.Error("Listen on an empty address works")
	}
	if c, err := s.tr.Dial(ctx, "", nil); err == nil {
		c.Close()
		t.Error("Dial of an empty address works")
	}
	if ctx.Err() != nil {
		t.Error("an empty address is waited for")
	}
	if c, ok := s.tr.(transport.AddrChecker); ok {
		if c.CheckDial("", nil) == nil {
			t.Error("CheckDial has nothing against an empty address")
		}
		if err := c.CheckDial(s.listen(t).Addr().String(), nil); err != nil {
			t.Errorf("CheckDial of an address that is listened on: %v", err)
		}
	}
}

// inUse checks that one address has one listener, which a second does not harm.
func (s *suite) inUse(t *testing.T) {
	l := s.listen(t)
	for range 3 {
		second, err := s.tr.Listen(within(t), l.Addr().String(), nil)
		if err == nil {
			second.Close()
			t.Fatalf("two listeners on %q", l.Addr())
		}
		a, b := s.pair(t, l)
		exchange(t, a, b, "still here")
	}
}

// rebind listens again on an address that was just closed, with connections of
// its time about.
func (s *suite) rebind(t *testing.T) {
	l := s.listen(t)
	at := l.Addr().String()
	for range 10 {
		a, b := s.pair(t, l)
		exchange(t, a, b, "hello")
		b.Close() // first at the listening side, which for tcp is the worse case
		if err := l.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		l = s.listenOn(t, at)
		if got := l.Addr().String(); got != at {
			t.Fatalf("Listen(%q) is at %q", at, got)
		}
	}
	a, b := s.pair(t, l)
	exchange(t, a, b, "hello")
}

// freshAddr checks the test's own premise, and wildcards with it.
func (s *suite) freshAddr(t *testing.T) {
	seen := map[string]bool{}
	for range 5 {
		l := s.listen(t)
		if at := l.Addr().String(); seen[at] {
			t.Errorf("two listeners on %q", at)
		} else {
			seen[at] = true
		}
	}
}

// closeWakesAccept closes under several waiting Accepts.
func (s *suite) closeWakesAccept(t *testing.T) {
	for range 10 {
		l := s.listen(t)
		done, started := make(chan error, 3), make(chan struct{}, 3)
		for range cap(done) {
			go func() {
				started <- struct{}{}
				_, err := l.Accept()
				done <- err
			}()
		}
		for range cap(done) {
			<-started
		}
		if err := l.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		for range cap(done) {
			if err := await(t, done, "Accept of a closed Listener"); !errors.Is(err, net.ErrClosed) {
				t.Fatalf("Accept ended by Close: %v, want net.ErrClosed", err)
			}
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("Accept after Close: %v, want net.ErrClosed", err)
		}
		l.Close() // more than once may be an error, but nothing worse
	}
}

// acceptedOutlive checks that a connection does not end with its listener.
func (s *suite) acceptedOutlive(t *testing.T) {
	l := s.listen(t)
	a, b := s.pair(t, l)
	if err := l.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	exchange(t, a, b, "there")
	exchange(t, b, a, "back")
}

// concurrentDials has many dial one listener at once, each to get its own words
// back.
func (s *suite) concurrentDials(t *testing.T) {
	const dialers = 32
	l := s.listen(t)
	done := make(chan error, 2*dialers)
	for range dialers {
		go func() {
			c, err := l.Accept()
			if err != nil {
				done <- fmt.Errorf("accept: %w", err)
				return
			}
			defer c.Close()
			_, err = io.Copy(c, io.LimitReader(c, 10_000))
			done <- err
		}()
	}
	ctx := within(t)
	for i := range dialers {
		go func() { done <- s.dialAndEcho(ctx, l, byte(i)) }()
	}
	for range cap(done) {
		if err := await(t, done, "one of the connections"); err != nil {
			l.Close() // or the Accepts would wait for ever
			t.Fatal(err)
		}
	}
}

func (s *suite) dialAndEcho(ctx context.Context, l transport.Listener, seed byte) error {
	c, err := s.tr.Dial(ctx, l.Addr().String(), nil)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	defer c.Close()
	sent := make(chan error, 1)
	go func() { sent <- sendPattern(c, seed, 10_000) }()
	if err := checkPattern(c, seed, 10_000); err != nil {
		c.Close()
		<-sent
		return err
	}
	return <-sent
}

// dialCanceled dials with a context that has ended.
func (s *suite) dialCanceled(t *testing.T) {
	l := s.listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, err := s.tr.Dial(ctx, l.Addr().String(), nil)
	if err == nil {
		c.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Dial under a canceled context: %v, want context.Canceled", err)
	}
}

// dialNobody dials an address that somebody has left: an error at once, or when
// the context ends.
func (s *suite) dialNobody(t *testing.T) {
	l := s.listen(t)
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		c, err := s.tr.Dial(ctx, at, nil)
		if err == nil {
			c.Close()
		}
		done <- err
	}()
	if err := await(t, done, "Dial of an address that nobody has"); err == nil {
		t.Error("Dial of an address that nobody has works")
	}
}
