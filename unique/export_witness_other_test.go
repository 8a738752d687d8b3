//go:build !linux

package unique

func witnessNameOf(*site) string { return "" }
