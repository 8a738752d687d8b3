package msgcore

import (
	"context"
	"errors"
)

// WaitPeers waits until n peers are connected, their handshakes done, or ctx
// ends. A socket that others connect to does not lose its first messages then.
func (s *Socket) WaitPeers(ctx context.Context, n int) error {
	return s.waitFor(ctx, "wait for peers of", func() bool { return s.ready >= n })
}

// WaitSubscribers waits until n subscriptions are in force, over all peers, or
// ctx ends. PUB only.
func (s *Socket) WaitSubscribers(ctx context.Context, n int) error {
	t, ok := s.pat.(publishing)
	if !ok {
		if s.optErr != nil {
			return s.optErr
		}
		return s.fail("wait for subscribers of", "", errors.ErrUnsupported)
	}
	return s.waitFor(ctx, "wait for subscribers of", func() bool { return t.subscriptions() >= n })
}

// waitFor waits until enough, which is called under sendMu.
func (s *Socket) waitFor(ctx context.Context, op string, enough func() bool) error {
	if s.optErr != nil {
		return s.optErr
	}
	s.sendMu.Lock()
	for {
		if s.closed {
			s.sendMu.Unlock()
			return s.fail(op, "", errClosed)
		}
		if enough() {
			s.sendMu.Unlock()
			return nil
		}
		w := s.changed.add()
		s.sendMu.Unlock()
		if err := s.changed.wait(ctx, &s.sendMu, w); err != nil {
			return s.fail(op, "", err)
		}
		s.sendMu.Lock()
	}
}
