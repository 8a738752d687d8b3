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

// Stats counts what became of the messages that were not delivered, and of
// connections.
type Stats struct {
	DroppedFull       uint64 // for a peer at its high-water mark
	DroppedUnroutable uint64 // for a routing id that no peer has, or a peer that is gone
	DroppedLost       uint64 // queued for a peer that went away
	DroppedReplaced   uint64 // by a newer message (Options.Conflate)
	LostEvents        uint64 // monitor events, when too many came at once

	// Connections and what became of them, as the events of the same names: also
	// those that no Options.Monitor was told of. On inproc there are handshakes
	// and Disconnected only.
	Accepted, AcceptFailed              uint64
	Connected, ConnectRetried           uint64
	HandshakeSucceeded, HandshakeFailed uint64
	Disconnected                        uint64

	Packets PacketStats // of endpoints of udp, pgm and epgm
}

// PacketStats counts packets.
type PacketStats struct {
	Malformed uint64 // came and were not understood
	Unsent    uint64 // the system has refused to send
	Lost      uint64 // of publishers, missing for good
	Repaired  uint64 // of publishers, lost and sent again to us
	Repairs   uint64 // sent again to subscribers
}

// Stats returns the counters of s.
func (s *Socket) Stats() Stats {
	return Stats{
		DroppedFull:        s.drops.full.Load(),
		DroppedUnroutable:  s.drops.unroutable.Load(),
		DroppedLost:        s.drops.lost.Load(),
		DroppedReplaced:    s.drops.replaced.Load(),
		LostEvents:         s.drops.events.Load(),
		Accepted:           s.happened[Accepted].Load(),
		AcceptFailed:       s.happened[AcceptFailed].Load(),
		Connected:          s.happened[Connected].Load(),
		ConnectRetried:     s.happened[ConnectRetried].Load(),
		HandshakeSucceeded: s.happened[HandshakeSucceeded].Load(),
		HandshakeFailed:    s.happened[HandshakeFailed].Load(),
		Disconnected:       s.happened[Disconnected].Load(),
		Packets: PacketStats{
			Malformed: s.packets.Malformed.Load(),
			Unsent:    s.packets.Unsent.Load(),
			Lost:      s.packets.Lost.Load(),
			Repaired:  s.packets.Repaired.Load(),
			Repairs:   s.packets.Repairs.Load(),
		},
	}
}
