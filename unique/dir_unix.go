//go:build unix

package unique

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// hostSurroundings are those of this process.
func hostSurroundings() *surroundings {
	return &surroundings{
		getenv:  os.Getenv,
		uid:     os.Geteuid(),
		runUser: "/run/user",
		tmp:     "/tmp",
		places:  []func(*surroundings) (place, bool){flatpakPlace, snapPlace, xdgPlace, runUserPlace, userTempPlace, sharedTempPlace, envTempPlace, homePlace},
	}
}

// flatpakPlace is the one part of the runtime directory that all sandboxes of a Flatpak share.
func flatpakPlace(su *surroundings) (place, bool) {
	id, base := su.getenv("FLATPAK_ID"), su.getenv("XDG_RUNTIME_DIR")
	if id == "" || strings.ContainsRune(id, '/') || id == "." || id == ".." || !filepath.IsAbs(base) {
		return place{}, false
	}
	return place{source: "$XDG_RUNTIME_DIR/app/$FLATPAK_ID", base: filepath.Join(base, "app", id), leaf: leafName}, true
}

// snapPlace is the runtime directory of a Snap, which it may have to make itself.
func snapPlace(su *surroundings) (place, bool) {
	base := filepath.Clean(su.getenv("XDG_RUNTIME_DIR"))
	if su.getenv("SNAP") == "" || !filepath.IsAbs(base) || !strings.HasPrefix(filepath.Base(base), "snap.") {
		return place{}, false
	}
	return place{source: "the Snap's $XDG_RUNTIME_DIR", base: base, leaf: leafName, mkbase: true}, true
}

// xdgPlace: the specification of the XDG base directories has relative values ignored.
func xdgPlace(su *surroundings) (place, bool) {
	base := su.getenv("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(base) {
		return place{}, false
	}
	return place{source: "$XDG_RUNTIME_DIR", base: filepath.Clean(base), leaf: leafName}, true
}

// runUserPlace finds the same directory as xdgPlace for processes that were started without the session's environment:
// by cron, su, sudo, or a service manager.
func runUserPlace(su *surroundings) (place, bool) {
	base := filepath.Join(su.runUser, strconv.Itoa(su.uid))
	if filepath.Clean(su.getenv("XDG_RUNTIME_DIR")) == base {
		return place{}, false // was judged already
	}
	return place{source: "the runtime directory of the user id", base: base, leaf: leafName}, true
}

// sharedTempPlace comes before $TMPDIR: that one differs between a terminal, cron and a sandbox, and with it the answer.
func sharedTempPlace(su *surroundings) (place, bool) {
	return tempPlace(su, su.tmp, "the system's temporary directory")
}

func envTempPlace(su *surroundings) (place, bool) {
	base := filepath.Clean(su.getenv("TMPDIR"))
	if !filepath.IsAbs(base) || base == su.tmp {
		return place{}, false
	}
	return tempPlace(su, base, "$TMPDIR")
}

// homePlace is for those whose names in the temporary directories were taken by another user: nobody else can make
// anything there. It comes last because a home may be on the network.
func homePlace(su *surroundings) (place, bool) {
	home := su.getenv("HOME")
	if !filepath.IsAbs(home) {
		return place{}, false
	}
	return place{source: "$HOME", base: filepath.Clean(home), leaf: "." + leafName, shared: true}, true
}

func tempPlace(su *surroundings, base, source string) (place, bool) {
	return place{source: source, base: base, leaf: leafName + "-" + strconv.Itoa(su.uid), shared: true}, true
}

// mayMakeIn reports why nothing can be made in dir.
func mayMakeIn(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "access", Path: dir, Err: err}
	}
	return nil
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
