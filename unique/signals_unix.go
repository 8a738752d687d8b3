//go:build unix

package unique

import (
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// signalName is the name of sig on the wire, where numbers would differ between
// systems; "" for one that has none.
func signalName(sig os.Signal) string {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(unix.SignalName(s), "SIG")
}

// signalOf is the signal of that name, nil if this system has none.
func signalOf(name string) os.Signal {
	if s := unix.SignalNum("SIG" + name); s != 0 {
		return s
	}
	return nil
}
