//go:build !windows

package unique

// passFocus does nothing: elsewhere the right to take the focus is a token, which
// the request carries (Activation), or nobody's.
func passFocus(int) {}

// focusBefore: nothing has to come before a request.
const focusBefore = false
