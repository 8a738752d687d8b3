//go:build unix && !darwin

package unique

// userTempPlace: only macOS has a temporary directory for each user.
func userTempPlace(*surroundings) (place, bool) { return place{}, false }
