//go:build amd64 && !purego

package curve

// Widths are the ways in which this processor can make a key stream.
func Widths() (names []string, set func(name string), restore func()) {
	was := width()
	byName := map[string]int32{}
	for _, w := range []struct {
		name  string
		width int32
	}{{"generic", narrow}, {"8 blocks", wide}, {"16 blocks", wider}} {
		if w.width <= was {
			names = append(names, w.name)
			byName[w.name] = w.width
		}
	}
	return names, func(name string) { best.Store(byName[name]) }, func() { best.Store(was) }
}

// WidthOf is widthOf.
var WidthOf = widthOf

// WidthAsked reports whether the processor has been asked for its width, and forgets
// what it said.
func WidthAsked() bool { return best.Swap(0) != 0 }
