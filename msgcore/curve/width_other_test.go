//go:build !amd64 || purego

package curve

// Widths are the ways in which this processor can make a key stream.
func Widths() (names []string, set func(name string), restore func()) {
	return []string{"generic"}, func(string) {}, func() {}
}
