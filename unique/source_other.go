//go:build !unix

package unique

import "os"

// newPolledSource returns nil: this system cannot wait for input without taking
// it.
func newPolledSource(*os.File) source { return nil }
