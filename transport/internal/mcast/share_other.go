//go:build !unix && !windows

package mcast

import (
	"errors"
	"net/netip"
)

func share(uintptr) error { return errors.ErrUnsupported }

// BindTo returns what a socket is bound to that is to hear group: here, it hears
// all others of that port, too.
func BindTo(group netip.AddrPort) netip.AddrPort { return anyOf(group) }
