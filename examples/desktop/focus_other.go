//go:build !(linux || freebsd || openbsd || netbsd || dragonfly) || wayland

package main

import (
	"fyne.io/fyne/v2"

	"github.com/solomq/solomq/unique"
)

// activate has nothing to add. On Windows, package unique has let this process take
// the focus before the request came. On Wayland, Fyne has no way to use the token.
func activate(fyne.Window, unique.Activation) {}
