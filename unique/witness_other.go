//go:build !linux

package unique

// A witness is what only Linux has: see witness_linux.go. Without it, a primary
// whose lock file was removed, and then locked by another process, has lost its
// place.
type witness struct{}

func newWitness(*site) (w *witness, holder int) { return nil, 0 }

func (w *witness) close() {}
