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

// The versions that this package speaks.
var (
	version30 = Version{3, 0}
	version31 = Version{3, 1}
)
