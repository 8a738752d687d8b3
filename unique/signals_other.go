//go:build !unix

package unique

import (
	"os"
	"syscall"
)

// signalName is the name of sig on the wire; "" for one that has none. The two
// are what Go knows on every system.
func signalName(sig os.Signal) string {
	switch sig {
	case os.Interrupt:
		return "INT"
	case syscall.SIGTERM:
		return "TERM"
	}
	return ""
}

// signalOf is the signal of that name, nil if this system has none.
func signalOf(name string) os.Signal {
	switch name {
	case "INT":
		return os.Interrupt
	case "TERM":
		return syscall.SIGTERM
	}
	return nil
}
