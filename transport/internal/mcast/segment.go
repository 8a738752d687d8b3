package mcast

// Where the system can, several packets of one size travel to and from it as one
// (on Linux: UDP_SEGMENT and UDP_GRO), which costs little more than one packet.
// The last of them may be shorter.

const (
	maxSegments  = 64    // Linux's limit of packets in one
	maxDatagrams = 65507 // and of their bytes, over IPv4; a little less than over IPv6
)

// Together returns how many packets of n bytes can be sent as one; 1 where the
// system does not know how.
func (c *Conn) Together(n int) int {
	if !c.segments || n <= 0 {
		return 1
	}
	return max(1, min(maxSegments, maxDatagrams/n))
}

// Join makes the buffers of m, each a packet, be sent as one if there are several.
// All but the last must be of one size.
func (c *Conn) Join(m *Message) {
	if len(m.Buffers) < 2 {
		m.OOB = nil
		return
	}
	m.OOB = joinSegments(m.OOB, len(m.Buffers[0]))
}

// Split returns the size of the packets of which m, that was read, consists.
func (c *Conn) Split(m *Message) int {
	if m.NN == 0 {
		return m.N
	}
	if n := segmentSize(m.OOB[:m.NN]); n > 0 {
		return n
	}
	return m.N
}
