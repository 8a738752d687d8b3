//go:build unix

package unique

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// terminalSize reports whether f is a terminal, and its size.
func terminalSize(f *os.File) (rows, columns int, ok bool) {
	if f == nil {
		return 0, 0, false
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, 0, false
	}
	_ = conn.Control(func(fd uintptr) { // closed: no terminal
		w, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
		if err == nil {
			rows, columns, ok = int(w.Row), int(w.Col), true
		}
	})
	return rows, columns, ok
}

// TerminalSignals returns the signals by which a terminal and its user steer a
// program, for WithSignals: the interrupt (Ctrl-C), SIGTERM, SIGHUP, SIGQUIT,
// SIGWINCH, SIGTSTP (Ctrl-Z) and SIGCONT; where there are no such signals, the
// interrupt and SIGTERM.
func TerminalSignals() []os.Signal {
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGCONT}
}

// resizes reports whether after sig the terminal may have another size.
func resizes(sig os.Signal) bool { return sig == syscall.SIGWINCH || sig == syscall.SIGCONT }

// suspends reports whether sig asks for a stop, which only the process itself
// can do: the shell that started it waits for that.
func suspends(sig os.Signal) bool { return sig == syscall.SIGTSTP }

// suspend stops this process until it is continued.
func suspend() {
	// SIGTSTP itself is caught; this has the same effect for the shell.
	_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
}
