// Package transporttest checks that a [transport.Transport] keeps its contract.
//
//	func TestConformance(t *testing.T) {
//		transporttest.Run(t, quic.Transport{}, func(testing.TB) string { return "127.0.0.1:*" })
//	}
package transporttest

import (
	"context"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/solomq/solomq/transport"
)

// patience is how long any step may take before the test fails. It is generous:
// nothing here waits for it unless the transport is wrong.
const patience = 30 * time.Second

// soon is a deadline that is meant to pass.
const soon = 20 * time.Millisecond

// Run checks tr, a transport of streams, in subtests of t. addr returns an address
// to listen on that nobody else uses: a wildcard, or a fresh one each time. What it
// resolves to must be possible to listen on again after Close. addr may use its
// argument to clean up. A [transport.Rendezvous] is checked as such, too.
//
// No other test may run in parallel, because Run counts goroutines.
func Run(t *testing.T, tr transport.Transport, addr func(testing.TB) string) {
	s := &suite{tr: tr, addr: addr}
	tests := []struct {
		name string
		run  func(*testing.T)
	}{
		{"Echo", s.echo},
		{"LargeBothWays", s.largeBothWays},
		{"Buffers", s.buffers},
		{"BufferReuse", s.bufferReuse},
		{"ReadDeadline", s.readDeadline},
		{"WriteDeadline", s.writeDeadline},
		{"DeadlineWakes", s.deadlineWakes},
		{"CloseWakesRead", s.closeWakesRead},
		{"CloseWakesWrite", s.closeWakesWrite},
		{"PeerCloses", s.peerCloses},
		{"WriteToNobody", s.writeToNobody},
		{"Credentials", s.credentials},
		{"Addr", s.boundAddr},
		{"BadAddr", s.badAddr},
		{"InUse", s.inUse},
		{"Rebind", s.rebind},
		{"FreshAddr", s.freshAddr},
		{"CloseWakesAccept", s.closeWakesAccept},
		{"AcceptedOutlive", s.acceptedOutlive},
		{"ConcurrentDials", s.concurrentDials},
		{"DialCanceled", s.dialCanceled},
		{"DialNobody", s.dialNobody},
		{"Delivery", s.delivery},
	}
	for _, test := range tests {
		t.Run(test.name, noLeaks(test.run))
	}
	if r, ok := tr.(transport.Rendezvous); ok {
		m := &meeting{tr: r, addr: addr}
		t.Run("Meet", noLeaks(m.meet))
		t.Run("MeetWaits", noLeaks(m.waits))
		t.Run("MeetRefused", noLeaks(m.refused))
		t.Run("Withdraw", noLeaks(m.withdraw))
		t.Run("AnnounceInUse", noLeaks(m.inUse))
		t.Run("ConcurrentMeets", noLeaks(m.concurrent))
	}
}

// noLeaks wraps a test so that it fails if goroutines are left after it.
func noLeaks(test func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		before := goleak.IgnoreCurrent()
		t.Cleanup(func() { // runs last
			if err := goleak.Find(before); err != nil {
				t.Errorf("goroutines are left after everything was closed: %v", err)
			}
		})
		test(t)
	}
}

type suite struct {
	tr   transport.Transport
	addr func(testing.TB) string
}

// listen listens on a fresh address.
func (s *suite) listen(t *testing.T) transport.Listener {
	t.Helper()
	return s.listenOn(t, s.addr(t))
}

func (s *suite) listenOn(t *testing.T, addr string) transport.Listener {
	t.Helper()
	l, err := s.tr.Listen(within(t), addr, nil)
	if err != nil {
		t.Fatalf("Listen(%q): %v", addr, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// dial connects to l.
func (s *suite) dial(t *testing.T, l transport.Listener) transport.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel() // which must not harm the connection
	c, err := s.tr.Dial(ctx, l.Addr().String(), nil)
	if err != nil {
		t.Fatalf("Dial(%q), where we listen: %v", l.Addr(), err)
	}
	return s.guard(t, c)
}

// guard closes c after the test and bounds what it may wait.
func (s *suite) guard(t *testing.T, c transport.Conn) transport.Conn {
	t.Helper()
	t.Cleanup(func() { c.Close() })
	if _, ok := c.(transport.PacketConn); ok {
		t.Skip("a transport of packets; this suite is for streams")
	}
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatalf("SetDeadline: %v", err)
	}
	return c
}

type accepted struct {
	c   net.Conn
	err error
}

// pair returns the two ends of a connection through l.
func (s *suite) pair(t *testing.T, l transport.Listener) (dialed, acc transport.Conn) {
	t.Helper()
	// A Dial that shakes hands needs an Accept at the same time.
	got := make(chan accepted, 1)
	go func() {
		c, err := l.Accept()
		got <- accepted{c, err}
	}()
	dialed = s.dial(t, l)
	a := await(t, got, "Accept")
	if a.err != nil {
		t.Fatalf("Accept: %v", a.err)
	}
	return dialed, s.guard(t, a.c)
}

// within returns a context that gives up before the test has to.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// await receives from a channel or fails the test.
func await[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("%s still waits after %v", what, patience)
		panic("not reached")
	}
}
