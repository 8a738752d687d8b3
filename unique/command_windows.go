package unique

import (
	"path/filepath"
	"strings"
)

// uriPath is the file of a file URI's path: "/C:/x" is C:\x.
func uriPath(path string) string {
	if len(path) > 2 && path[2] == ':' {
		path = strings.TrimPrefix(path, "/")
	}
	return filepath.FromSlash(path)
}
