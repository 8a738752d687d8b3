//go:build unix && !linux

package unique_test

import "testing"

// awaitStopped does nothing: these systems have no /proc to ask. The signal
// comes soon enough.
func awaitStopped(*testing.T, int) {}
