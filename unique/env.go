package unique

import "strings"

// take keeps the value of kv if it is a startup notification token, and tells
// whether it is one.
func (a *Activation) take(kv string) bool {
	if v, ok := strings.CutPrefix(kv, "XDG_ACTIVATION_TOKEN="); ok {
		a.Token = v
		return true
	}
	if v, ok := strings.CutPrefix(kv, "DESKTOP_STARTUP_ID="); ok {
		a.StartupID = v
		return true
	}
	return false
}
