//go:build !unix

package unique

import "sync"

// readLock is not needed: there are no other sources.
func readLock(source) *sync.Mutex { return new(sync.Mutex) }
