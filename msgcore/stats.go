package msgcore

import (
	"cmp"
	"slices"
)

// Stats counts messages and what became of them, and connections. It is made of
// numbers, so that expvar.Func and encoding/json show it as it is.
//
// Every message is accounted for. What Send has taken was written, is queued, or was
// dropped: for a type that sends each message to one peer
//
//	sent = MessagesOut + QueuedOut + DroppedFull + DroppedUnroutable + DroppedLost + DroppedReplaced
//
// and a PUB, an XPUB, an XSUB or a RADIO counts it for each peer that it is for. On the
// other side
//
//	MessagesIn = received + QueuedIn + DroppedFiltered + DroppedUnexpected + DroppedMalformed +
//		DroppedUnwanted + DroppedUnread + DroppedReplaced
//
// where replies to a Request are received, too, and messages are not that Options.Router.Notify,
// Disconnected or Hiccup make, nor the subscriptions that an XPUB receives. Between both sides nothing is missing
//
//	MessagesOut = MessagesIn + DroppedUndelivered
//
// but what is InDoubt at the sender, at most, and what is under way.
type Stats struct {
	Traffic
	DropStats
	LostEvents uint64 // monitor events, when too many came at once

	// Connections and what became of them, as the events of the same names: also
	// those that no Options.Monitor was told of. On inproc there are handshakes
	// and Disconnected only.
	Accepted, AcceptRefused, AcceptFailed uint64
	Connected, ConnectRetried             uint64
	HandshakeSucceeded, HandshakeFailed   uint64
	Disconnected                          uint64

	Packets PacketStats // of endpoints of udp, pgm and epgm
}

// DropStats counts messages that were given up, each by the DropCause of its name.
type DropStats struct {
	// Sent here, and dropped before they were written.
	DroppedFull       uint64 // for a peer at its high-water mark
	DroppedUnroutable uint64 // for a routing id that no peer has, or a peer that is gone
	DroppedLost       uint64 // queued for a peer that went away
	DroppedReplaced   uint64 // by a newer message (Options.Conflate), on either side
	// Written here, and not read by the peer before the connection has ended: part of
	// MessagesOut. Only where the transport can tell, as a simulated one.
	DroppedUndelivered uint64
	// Come from a peer, and not for the application.
	DroppedFiltered   uint64 // nothing is subscribed to that matches, or the group is not joined (SUB, XSUB, DISH)
	DroppedUnexpected uint64 // replies that no request waits for (REQ), bytes behind the end of a connection (STREAM)
	DroppedMalformed  uint64 // with other frames than messages of this type of socket have
	DroppedUnwanted   uint64 // by a type that does not receive (PUSH, SCATTER, PUB, RADIO)
	DroppedUnread     uint64 // not received before the socket was closed, or its connection by this side
}

// PacketStats counts packets.
type PacketStats struct {
	Malformed uint64 // came and were not understood
	Unsent    uint64 // the system has refused to send
	Lost      uint64 // of publishers, missing for good
	Repaired  uint64 // of publishers, lost and sent again to us
	Repairs   uint64 // sent again to subscribers
	Refused   uint64 // came for which there was no memory, or of a sender when there were too many
}

// Stats returns the counters of s, also when it is closed.
func (s *Socket) Stats() Stats {
	s.sendMu.Lock()
	s.settle()
	s.sendMu.Unlock()
	return Stats{
		Traffic:            s.traffic(),
		DropStats:          s.drops.stats(),
		LostEvents:         s.untold.Load(),
		Accepted:           s.happened[Accepted].Load(),
		AcceptRefused:      s.happened[AcceptRefused].Load(),
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
			Refused:   s.packets.Refused.Load(),
		},
	}
}

// traffic sums up all peers, those that are gone included.
func (s *Socket) traffic() (t Traffic) {
	s.recvMu.Lock()
	in, queuedIn := s.cameIn, s.aside()
	for i := s.inlets; i != nil; i = i.after {
		queuedIn.add(i.unread())
		i.mu.Lock()
		in.add(i.came())
		i.mu.Unlock()
	}
	s.recvMu.Unlock()
	s.sendMu.Lock()
	out, queuedOut := s.wentOut, tally{}
	for p := range s.peers {
		out.add(p.written())
		queuedOut.add(p.waiting())
	}
	t.InDoubt, t.InDoubtBytes = s.doubt.counts()
	t.Reconnects = uint64(s.remade)
	s.sendMu.Unlock()
	t.MessagesIn, t.BytesIn = in.counts()
	t.QueuedIn, t.QueuedInBytes = queuedIn.counts()
	t.MessagesOut, t.BytesOut = out.counts()
	t.QueuedOut, t.QueuedOutBytes = queuedOut.counts()
	return t
}

// PeerStats returns the counters of each peer of s: those that are connected, and
// the endpoints of Connect for which messages may wait. A peer that is gone is
// part of Stats only. The list is in the order of endpoints, addresses and IDs. What is
// counted for one of them is exact when nothing moves.
func (s *Socket) PeerStats() []PeerStats {
	type received struct{ came, queued tally }
	got := map[*peer]received{}
	s.recvMu.Lock()
	for i := s.inlets; i != nil; i = i.after {
		r := got[i.peer]
		r.queued.add(i.unread())
		i.mu.Lock()
		r.came.add(i.came())
		i.mu.Unlock()
		got[i.peer] = r
	}
	var list []PeerStats
	s.sendMu.Lock()
	s.settle()
	for p := range s.peers {
		r := got[p]
		r.came.add(p.cameIn)
		info := p.describe()
		ps := PeerStats{
			ID: p.nth, Endpoint: info.Endpoint, RemoteAddr: info.RemoteAddr, Type: info.Type,
			RoutingID: info.RoutingID, PID: info.Cred.PID, Connected: p.sess != nil || p.twin != nil,
			DropStats: p.drops.Load().stats(),
		}
		t := &ps.Traffic
		t.MessagesIn, t.BytesIn = r.came.counts()
		t.QueuedIn, t.QueuedInBytes = r.queued.counts()
		t.MessagesOut, t.BytesOut = p.written().counts()
		t.QueuedOut, t.QueuedOutBytes = p.waiting().counts()
		t.InDoubt, t.InDoubtBytes = p.doubt.counts()
		t.Reconnects = uint64(p.remade)
		list = append(list, ps)
	}
	s.sendMu.Unlock()
	s.recvMu.Unlock()
	slices.SortFunc(list, func(a, b PeerStats) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.RemoteAddr, b.RemoteAddr), cmp.Compare(a.ID, b.ID))
	})
	return list
}
