//go:build !darwin && !purego

package curve

// kept returns XCR0.
func kept() uint32 { return xcr0() }
