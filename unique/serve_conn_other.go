//go:build !unix

package unique

// readNow: here nothing can be read without waiting.
func (c *localConn) readNow([]byte) int { return 0 }

// writeNow likewise.
func (c *localConn) writeNow() (int, error) { return 0, nil }

type writingNow struct{}
