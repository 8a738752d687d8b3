package unique

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Scope says of whose launches one process is the primary, among those of one
// user and one application id.
type Scope uint8

// The scopes; 0 is PerUser.
const (
	PerUser    Scope = iota + 1 // one for all that the user starts, wherever
	PerSession                  // one for each login session
	PerDisplay                  // one for each display: of Wayland or X11, elsewhere of a session
	// PerDirectory has one for each document or profile directory,
	// Options.ScopeKey, whatever the name by which it is reached.
	PerDirectory
	PerGroup // one for each value of Options.ScopeKey
)

var scopeNames = [...]string{PerUser: "user", PerSession: "session", PerDisplay: "display", PerDirectory: "directory", PerGroup: "group"}

// String returns what s has one primary for each of, such as "session".
func (s Scope) String() string {
	if s > 0 && int(s) < len(scopeNames) {
		return scopeNames[s]
	}
	return fmt.Sprintf("Scope(%d)", uint8(s))
}

// validateScope checks the two fields.
func (o *Options) validateScope() error {
	switch o.Scope {
	case 0, PerUser, PerSession, PerDisplay:
		if o.ScopeKey != "" {
			return errors.New("unique: Options.ScopeKey needs a Scope of PerDirectory or PerGroup")
		}
	case PerDirectory, PerGroup:
		if o.ScopeKey == "" {
			return fmt.Errorf("unique: Options.ScopeKey is empty, but Scope is one for each %v", o.Scope)
		}
	default:
		return fmt.Errorf("unique: Options.Scope is %d, which is none", o.Scope)
	}
	return nil
}

// scopeKey returns what tells this process's scope from others of its kind; ""
// for the one of the user.
func (su *surroundings) scopeKey(o *Options) (string, error) {
	if o == nil {
		return "", nil
	}
	switch o.Scope {
	case PerSession:
		return su.session()
	case PerDisplay:
		return su.display()
	case PerDirectory:
		return canonicalDir(o.ScopeKey)
	case PerGroup:
		return o.ScopeKey, nil
	}
	return "", nil
}

// canonicalDir is the one name of a directory.
func canonicalDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	var fi os.FileInfo
	if err == nil {
		fi, err = os.Stat(abs)
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("unique: Options.ScopeKey has to be a directory: %w", err)
	case !fi.IsDir():
		return "", fmt.Errorf("unique: Options.ScopeKey has to be a directory, which %s is not", abs)
	}
	return abs, nil
}

// session names the login session.
func (su *surroundings) session() (string, error) {
	if id := systemSession(); id != "" {
		return id, nil
	}
	for _, name := range []string{"XDG_SESSION_ID", "SECURITYSESSIONID"} {
		if id := su.getenv(name); id != "" {
			return id, nil
		}
	}
	return "", errors.New("unique: this process belongs to no login session (XDG_SESSION_ID is not set), so Options.Scope cannot be PerSession")
}

// display names the display, without the screen of an X server: windows of one
// program are on several.
func (su *surroundings) display() (string, error) {
	if w := su.getenv("WAYLAND_DISPLAY"); w != "" {
		if !filepath.IsAbs(w) {
			w = filepath.Join(su.getenv("XDG_RUNTIME_DIR"), w)
		}
		return "wayland " + w, nil
	}
	if x := su.getenv("DISPLAY"); x != "" {
		host, screen, ok := strings.Cut(x, ":")
		if !ok {
			return "", fmt.Errorf("unique: DISPLAY is %q, which is none, so Options.Scope cannot be PerDisplay", x)
		}
		screen, _, _ = strings.Cut(screen, ".")
		if host == "unix" || host == "localhost/unix" {
			host = ""
		}
		return "x11 " + host + ":" + screen, nil
	}
	if id := systemSession(); id != "" && oneDisplay {
		return id, nil
	}
	return "", errors.New("unique: there is no display (WAYLAND_DISPLAY and DISPLAY are not set), so Options.Scope cannot be PerDisplay")
}
