//go:build !unix

package unique

import (
	"os"
	"syscall"
)

// TerminalSignals returns the signals by which a terminal and its user steer a
// program, for WithSignals: the interrupt (Ctrl-C), SIGTERM, SIGHUP, SIGQUIT,
// SIGWINCH, SIGTSTP (Ctrl-Z) and SIGCONT; where there are no such signals, the
// interrupt and SIGTERM.
func TerminalSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

func resizes(os.Signal) bool  { return false }
func suspends(os.Signal) bool { return false }
func suspend()                {}
