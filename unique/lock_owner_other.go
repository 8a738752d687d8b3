//go:build !linux

package unique

// lockOwner: only Linux lists who holds which lock.
func lockOwner(string) int { return 0 }
