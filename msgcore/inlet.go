package msgcore

import "github.com/solomq/solomq/msgcore/zmtp"

// An inlet is the receiving half of a pipe: it takes blocks from it and hands
// out their messages. It is guarded by its socket's recvMu.
type inlet struct {
	*pipe
	peer *peer
	info *PeerInfo     // of the peer, at this connection
	wake chan struct{} // of the reader that fills the pipe; nil on inproc
	conn *streamConn   // it receives, instead of the socket; nil but on a STREAM

	taken []block // what was taken and is not yet opened is taken[next:]
	next  int

	// The block that is open, and how far it is handed out.
	lease    *lease
	b        []byte
	pos      int
	bodies   []body
	body     int
	index    uint32 // of the next message
	left     int    // messages
	owed     int    // messages of the block, to be credited
	owedSize int64
	event    Notify
	note     bool // the open block is one

	// Of its socket's list; see traffic.go.
	before, after *inlet
	summed        bool // off the list
	over          bool // nothing comes any more

	turns int // messages that it may still hand out before others have their turn

	r       *reader // that fills the pipe; nil on inproc
	standIn standIn
}

// roomed wakes the producer, which has found the pipe full.
func (in *inlet) roomed() {
	if in.peer == nil { // notes have no bound
		return
	}
	if in.wake == nil {
		in.peer.twin.gotRoom()
		return
	}
	select {
	case in.wake <- struct{}{}:
	default: // it knows already
	}
}

// refill makes sure that a message is open, and reports whether there is one.
// extra is the room that each message needs in the frame table beyond its own.
// Credit for the last block is given back on the way; room reports that its
// producer waits for it and is to be told.
func (in *inlet) refill(extra int) (ok, room bool) {
	if in.left > 0 {
		return true, false
	}
	if in.next == len(in.taken) {
		clear(in.taken)
		in.taken, in.next = in.taken[:0], 0
		in.mu.Lock()
		if in.owed > 0 {
			room = in.creditOwed()
		}
		in.taken = in.take(in.taken)
		in.mu.Unlock()
	} else if in.owed > 0 {
		in.mu.Lock()
		room = in.creditOwed()
		in.mu.Unlock()
	}
	in.owed, in.owedSize, in.lease, in.b, in.bodies = 0, 0, nil, nil, nil
	if in.next == len(in.taken) {
		return false, room
	}
	b := &in.taken[in.next]
	in.next++
	in.event, in.note = b.event, b.note
	in.lease = newLease(b, b.frames+b.msgs*extra, in)
	in.b, in.pos, in.bodies, in.body = b.b, 0, b.bodies, 0
	in.index, in.left = 0, b.msgs
	in.owed, in.owedSize = b.msgs, b.size
	*b = block{}
	return true, room
}

// creditOwed gives credit for the open block, of which all is handed out; under mu.
func (in *inlet) creditOwed() (room bool) {
	room = in.credit(in.owed, in.owedSize)
	if room && in.lent {
		in.standIn.untold, room = true, false
	}
	return room
}

// pop hands out the next message of the open block. If id is not nil a copy of
// it becomes the first frame.
func (in *inlet) pop(m *Msg, id []byte) {
	l := in.lease
	if b, pos := in.b, in.pos; id == nil && b[pos] == 0 && in.body == len(in.bodies) {
		// One short frame, as most messages are.
		pos += 2
		end := pos + int(b[pos-1])
		first := l.used
		table := l.table[:first+1]
		table[first] = b[pos:end:end]
		in.pos, l.used = end, first+1
		in.left--
		in.fill(m, table[first:first+1:first+1], first)
		return
	}
	table := l.table[:l.used]
	first := len(table)
	if id != nil {
		table = append(table, l.copyID(id, in.left))
	}
	b, pos := in.b, in.pos
	for {
		flags, n, at := frameAt(b, pos)
		if in.body < len(in.bodies) && in.bodies[in.body].off == at {
			table = append(table, in.bodies[in.body].b)
			in.body++
			pos = at
		} else {
			pos = at + n
			table = append(table, b[at:pos:pos])
		}
		if flags&zmtp.FlagMore == 0 {
			break
		}
	}
	in.pos = pos
	l.used = len(table)
	in.left--
	in.fill(m, table[first:len(table):len(table)], first)
}

// fill makes m the next message, with frames, which are table[first:] of the lease.
// It sets one field after the other: a composite literal would be made on the stack
// and copied from there in larger pieces, which processors wait for.
func (in *inlet) fill(m *Msg, frames [][]byte, first int) {
	m.Frames, m.RoutingID = frames, 0
	m.lease, m.slot = in.lease, newSlot(in.index, in.lease.gen)
	m.place = newPlace(first, in.event)
	in.index++
}
