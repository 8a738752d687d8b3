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
		if matches(kv, defaultEnv) || matches(kv, names) {
			if name, _, _ := strings.Cut(kv, "="); !isToken(name) {
				out = append(out, kv)
			}
		}
	}
	return out
}

// matches reports whether one of patterns names the variable of kv. Every launch asks
// this of all that it has.
func matches(kv string, patterns []string) bool {
	for _, p := range patterns {
		n := len(p)
		if n <= len(kv) && n > 0 && p[n-1] == '*' {
			n--
			if kv[:n] == p[:n] && strings.IndexByte(kv, '=') >= n {
				return true
			}
		} else if n < len(kv) && kv[n] == '=' && kv[:n] == p && strings.IndexByte(p, '=') < 0 {
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
