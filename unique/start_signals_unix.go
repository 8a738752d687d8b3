//go:build unix && !aix && (!solaris || illumos)

package unique

import (
	"os"
	"os/signal"
	"syscall"
)

// startSignals are those that shells, nohup and programs commonly ignore.
var startSignals = [...]os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGUSR1,
	syscall.SIGUSR2, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU,
}

// heedSignals makes us heed the signals that we ignore, until restore. What a process ignores, its children ignore from
// birth, and theirs: a primary that happened to be started by `tool &` in a script could never interrupt what it runs for
// others. A handler is reset to the default in a child, which is what is wanted here. Signals that come meanwhile are
// ignored as before. Not handled: another goroutine that calls signal.Notify for one of them in this very moment.
func heedSignals() (restore func()) {
	var ignored []os.Signal
	for _, sig := range startSignals {
		if signal.Ignored(sig) {
			ignored = append(ignored, sig)
		}
	}
	if len(ignored) == 0 {
		return func() {}
	}
	nowhere := make(chan os.Signal, 1)
	signal.Notify(nowhere, ignored...)
	return func() {
		signal.Ignore(ignored...) // ends Notify, too
	}
}
