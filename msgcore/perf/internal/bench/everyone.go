package bench

import "encoding/binary"

// Everyone tells when each of n senders has been heard of, so that counting does
// not begin while connections are still being made. The senders sign their
// messages.
type Everyone struct {
	met  []bool
	left int
}

// NewEveryone waits for n senders.
func NewEveryone(n int) *Everyone { return &Everyone{met: make([]bool, n), left: n} }

// Met notes a message, and reports whether everyone has sent one by now. Senders of
// messages too short to be signed cannot be told apart: the first one is enough.
func (e *Everyone) Met(body []byte) bool {
	if len(body) < signature {
		e.left = 0
		return true
	}
	if i := binary.LittleEndian.Uint32(body); int64(i) < int64(len(e.met)) && !e.met[i] {
		e.met[i] = true
		e.left--
	}
	return e.left == 0
}

const signature = 4

// SignedBody returns the messages of sender i.
func SignedBody(a *Args, i int) []byte {
	body := make([]byte, a.Size)
	if len(body) >= signature {
		binary.LittleEndian.PutUint32(body, uint32(i))
	}
	return body
}
