//go:build !windows

package unique

// uriPath is the file of a file URI's path.
func uriPath(path string) string { return path }
