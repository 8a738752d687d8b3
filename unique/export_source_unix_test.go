//go:build unix

package unique

import "sync"

// readLock is the lock that a Read of s holds.
func readLock(s source) *sync.Mutex { return &s.(*polledSource).mu }
