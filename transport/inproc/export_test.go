package inproc

import "github.com/solomq/solomq/transport"

// ErrInUse is the cause for refusing a name that is taken.
var ErrInUse = errInUse

// Names returns how many names of space are taken, and how many waited for.
func Names(space *transport.Space) (bound, wanted int) {
	t := tableOf(&transport.Options{Space: space})
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.bound), len(t.wanted)
}
