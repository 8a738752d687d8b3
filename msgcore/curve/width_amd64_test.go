//go:build amd64 && !purego

package curve

// Widths are the ways in which this processor can make a key stream.
func Widths() (names []string, set func(name string), restore func()) {
	was, was2 := wide, wider
	names = []string{"generic"}
	if wide {
		names = append(names, "8 blocks")
	}
	if wider {
		names = append(names, "16 blocks")
	}
	return names, func(name string) { wide, wider = name != "generic", name == "16 blocks" }, func() { wide, wider = was, was2 }
}
