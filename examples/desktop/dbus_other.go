//go:build !(linux || freebsd || openbsd || netbsd || dragonfly)

package main

import (
	"context"

	"github.com/solomq/solomq/unique"
)

// serveBus does nothing: this system's desktop knows no session bus.
func serveBus(context.Context, *unique.Instance) error { return nil }

// relay does nothing, as there is no bus that could start it.
func relay(context.Context, *unique.Instance) error { return nil }
