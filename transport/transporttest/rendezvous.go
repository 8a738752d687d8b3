package transporttest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/solomq/solomq/transport"
)

// meeting has the tests of a Rendezvous.
type meeting struct {
	tr   transport.Rendezvous
	addr func(testing.TB) string
}

// announce announces a fresh address.
func (m *meeting) announce(t *testing.T, accept func(any) error) (bound string, withdraw func()) {
	t.Helper()
	return m.announceAt(t, m.addr(t), accept)
}

func (m *meeting) announceAt(t *testing.T, addr string, accept func(any) error) (bound string, withdraw func()) {
	t.Helper()
	bound, withdraw, err := m.tr.Announce(addr, nil, accept)
	if err != nil {
		t.Fatalf("Announce(%q): %v", addr, err)
	}
	t.Cleanup(withdraw)
	return bound, withdraw
}

// meet checks that the very offer is handed over.
func (m *meeting) meet(t *testing.T) {
	var got []any
	at, _ := m.announce(t, func(offer any) error {
		got = append(got, offer)
		return nil
	})
	offers := []any{new(int), "two", nil}
	for _, offer := range offers {
		if err := m.tr.Meet(within(t), at, nil, offer); err != nil {
			t.Fatalf("Meet: %v", err)
		}
	}
	for i, offer := range offers {
		if len(got) != len(offers) || got[i] != offer {
			t.Fatalf("accept was given %v, want %v", got, offers)
		}
	}
}

// waits checks that Meet waits for Announce, or for its context.
func (m *meeting) waits(t *testing.T) {
	at, withdraw := m.announce(t, func(any) error { return nil })
	withdraw()

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.tr.Meet(ctx, at, nil, 1) }()
	cancel()
	if err := await(t, done, "Meet under a canceled context"); !errors.Is(err, context.Canceled) {
		t.Fatalf("Meet under a canceled context: %v, want context.Canceled", err)
	}

	ctx = within(t)
	started := make(chan struct{})
	go func() {
		close(started)
		done <- m.tr.Meet(ctx, at, nil, 2)
	}()
	<-started
	got := make(chan any, 1)
	m.announceAt(t, at, func(offer any) error {
		got <- offer
		return nil
	})
	if err := await(t, done, "Meet of what was announced"); err != nil {
		t.Fatalf("Meet: %v", err)
	}
	if offer := await(t, got, "accept"); offer != 2 {
		t.Fatalf("accept was given %v, want 2", offer)
	}
}

// refused checks that the error of accept is the one of Meet.
func (m *meeting) refused(t *testing.T) {
	no := errors.New("no")
	at, _ := m.announce(t, func(any) error { return no })
	if err := m.tr.Meet(within(t), at, nil, 1); err != no { // unchanged is the point
		t.Errorf("Meet: %v, want accept's own error", err)
	}
}

// withdraw checks that only the first call does something.
func (m *meeting) withdraw(t *testing.T) {
	at, withdraw := m.announce(t, func(any) error { return errors.New("withdrawn") })
	withdraw()
	m.announceAt(t, at, func(any) error { return nil })
	withdraw()
	if err := m.tr.Meet(within(t), at, nil, 1); err != nil {
		t.Errorf("Meet after another one withdrew again: %v", err)
	}
	if _, _, err := m.tr.Announce(at, nil, func(any) error { return nil }); err == nil {
		t.Errorf("a second withdraw has freed the address of somebody else")
	}
}

// inUse checks that announced and listened addresses exclude each other, and that
// neither is mistaken for the other.
func (m *meeting) inUse(t *testing.T) {
	at, withdraw := m.announce(t, func(any) error { return nil })
	if _, _, err := m.tr.Announce(at, nil, func(any) error { return nil }); err == nil {
		t.Fatalf("%q was announced twice", at)
	}
	if l, err := m.tr.Listen(within(t), at, nil); err == nil {
		l.Close()
		t.Fatalf("%q was announced and listened on", at)
	}
	if c, err := m.tr.Dial(within(t), at, nil); err == nil {
		c.Close()
		t.Fatalf("%q is announced and could be dialed", at)
	}
	withdraw()
	l, err := m.tr.Listen(within(t), at, nil)
	if err != nil {
		t.Fatalf("Listen on a withdrawn address: %v", err)
	}
	defer l.Close()
	if _, _, err := m.tr.Announce(at, nil, func(any) error { return nil }); err == nil {
		t.Fatalf("%q was listened on and announced", at)
	}
	if err := m.tr.Meet(within(t), at, nil, 1); err == nil {
		t.Fatalf("%q is listened on and could be met", at)
	}
}

// concurrent has many meet, some before and some after Announce: each once.
func (m *meeting) concurrent(t *testing.T) {
	const meets = 64
	at, withdraw := m.announce(t, func(any) error { return nil })
	withdraw()
	ctx := within(t)
	done := make(chan error, meets)
	for i := range meets {
		go func() { done <- m.tr.Meet(ctx, at, nil, i) }()
	}
	var mu sync.Mutex
	got := map[any]int{}
	m.announceAt(t, at, func(offer any) error {
		mu.Lock()
		defer mu.Unlock()
		got[offer]++
		return nil
	})
	for range meets {
		if err := await(t, done, "one of the Meets"); err != nil {
			t.Fatalf("Meet: %v", err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for i := range meets {
		if got[i] != 1 {
			t.Errorf("offer %d was accepted %d times", i, got[i])
		}
	}
}
