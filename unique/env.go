package unique

import (
	"os"
	"strings"
	"sync"
)

// defaultEnv is what a secondary always sends: what it takes to show something
// where the user is and in the user's language.
var defaultEnv = []string{
	"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_SESSION_ID", "XDG_SEAT", "XDG_CURRENT_DESKTOP",
	"TERM", "COLORTERM", "NO_COLOR", "LANG", "LANGUAGE", "LC_*", "TZ",
}

// forwardedEnv returns what is sent of env: the default, what names say, and
// never the tokens, which travel apart.
func forwardedEnv(env, names []string) []string {
	var out []string
	for _, kv := range env {
		name, _, ok := strings.Cut(kv, "=")
		if ok && !isToken(name) && (matches(name, defaultEnv) || matches(name, names)) {
			out = append(out, kv)
		}
	}
	return out
}

func matches(name string, patterns []string) bool {
	for _, p := range patterns {
		if prefix, ok := strings.CutSuffix(p, "*"); ok && strings.HasPrefix(name, prefix) || name == p {
			return true
		}
	}
	return false
}

const (
	envToken     = "XDG_ACTIVATION_TOKEN"
	envStartupID = "DESKTOP_STARTUP_ID"
)

// tokens are those of this process. They are for one window only, so they are
// taken out of the environment, from which its children would inherit them.
func tokens() Activation {
	taken.once.Do(func() {
		for _, name := range []string{envToken, envStartupID} {
			if value, ok := os.LookupEnv(name); ok {
				taken.take(name + "=" + value)
				_ = os.Unsetenv(name) // the name is a valid one
			}
		}
	})
	return taken.Activation
}

var taken struct {
	once sync.Once
	Activation
}

func takeTokens() { tokens() }

func isToken(name string) bool { return name == envToken || name == envStartupID }

// take keeps the value of kv if it is a startup notification token, and tells
// whether it is one.
func (a *Activation) take(kv string) bool {
	name, value, _ := strings.Cut(kv, "=")
	switch name {
	case envToken:
		a.Token = value
	case envStartupID:
		a.StartupID = value
	default:
		return false
	}
	return true
}
