//go:build !linux && !windows

package unique

// oneDisplay is for macOS, where a session that has a display has one.
const oneDisplay = true

// systemSession: see session for what the environment says.
func systemSession() string { return "" }
