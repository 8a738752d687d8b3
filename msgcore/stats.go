package msgcore

// Stats counts what became of messages that were not delivered, and of
// connections. It is made of numbers, so that expvar.Func and encoding/json show it
// as it is.
type Stats struct {
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
	return Stats{
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
