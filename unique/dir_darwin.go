package unique

import (
	"path/filepath"
	"strings"
)

// userTempPlace is the user's temporary directory. The system makes one below /var/folders for each user and puts it
// into TMPDIR; any other value of TMPDIR is no better than /tmp.
func userTempPlace(su *surroundings) (place, bool) {
	base := filepath.Clean(su.getenv("TMPDIR"))
	if !strings.HasPrefix(base, "/var/folders/") && !strings.HasPrefix(base, "/private/var/folders/") {
		return place{}, false
	}
	return place{source: "the user's temporary directory ($TMPDIR)", base: base, leaf: leafName}, true
}
