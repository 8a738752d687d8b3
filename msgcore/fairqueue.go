package msgcore

// A fairQueue receives from many peers in turn. Guarded by recvMu.
//
// A turn is one message while few peers have something, which is the fairest.
// With many it is longer: one message each would empty all pipes in step, and
// every read of a connection would find next to nothing.
type fairQueue struct {
	ring []*inlet // those that may have messages: n of them from head on
	head int
	n    int
}

const (
	fewPeers = 16
	longTurn = 32
)

func (q *fairQueue) add(in *inlet) {
	if q.n == len(q.ring) {
		ring := make([]*inlet, max(4, 2*len(q.ring)))
		for i := range q.n {
			ring[i] = q.ring[(q.head+i)%len(q.ring)]
		}
		q.ring, q.head = ring, 0
	}
	q.ring[(q.head+q.n)%len(q.ring)] = in
	q.n++
	in.turns = 0
}

// drop takes the first one off.
func (q *fairQueue) drop() {
	q.ring[q.head] = nil
	q.head = (q.head + 1) % len(q.ring)
	q.n--
}

// rotate makes the first one the last.
func (q *fairQueue) rotate() {
	in := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) % len(q.ring)
	q.ring[(q.head+q.n-1)%len(q.ring)] = in
}

// turns is told that the first one, in, has handed out n messages.
func (q *fairQueue) turns(in *inlet, n int) {
	if q.n == 1 {
		return
	}
	if in.turns -= n; in.turns <= 0 {
		in.turns = 1
		if q.n > fewPeers {
			in.turns = longTurn
		}
		q.rotate()
	}
}

// recv hands out the next message that is for the application.
func (q *fairQueue) recv(s *Socket, m *Msg) bool {
	for q.n > 0 {
		in := q.ring[q.head]
		if in.left == 0 {
			ok, room := in.refill(s.extra)
			if room {
				in.roomed()
			}
			if !ok {
				q.drop()
			}
			if in.standIn.untold {
				s.mayStandIn(in, ok)
			}
			if !ok {
				if in.over {
					s.unfollow(in)
				}
				continue
			}
		}
		ok := s.pat.recv(in, m)
		q.turns(in, 1)
		if ok {
			return true
		}
		m.Release()
		*m = Msg{} // and not a message to those who get none
	}
	return false
}
