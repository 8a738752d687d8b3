package zmtp

import "strconv"

// A Version is a version of the protocol.
type Version struct {
	Major, Minor uint8
}

// String returns v as in "3.1".
func (v Version) String() string {
	return strconv.Itoa(int(v.Major)) + "." + strconv.Itoa(int(v.Minor))
}

// Less reports whether v is older than w.
func (v Version) Less(w Version) bool {
	return v.Major < w.Major || v.Major == w.Major && v.Minor < w.Minor
}

// The versions that this package speaks.
var (
	version10 = Version{1, 0}
	version20 = Version{2, 0}
	version30 = Version{3, 0}
	version31 = Version{3, 1}
)
