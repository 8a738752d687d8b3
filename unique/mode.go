package unique

import (
	"context"
	"fmt"
	"net"
	"time"
)

// A Mode says which roles a process may have.
type Mode uint8

// The modes; 0 is either role, as it comes.
const (
	// ModeService is a process that only makes sense as the primary, such as
	// one that a service manager starts: if there is a primary already, Acquire
	// returns a RunningError. Run serves without an invocation of its own. With
	// Options.Idle, at least 10 s pass before the first one, for which it was
	// started.
	ModeService Mode = iota + 1
	// ModeLauncher is a process that is never the primary: if there is none,
	// Acquire returns ErrNoPrimary. Options.StartPrimary implies it.
	ModeLauncher
	// ModeAlone is a process that opts out: it has no part in the application
	// id, and meets nobody. Its Instance is a primary that serves this process
	// only; Alone tells.
	ModeAlone
)

var modeNames = [...]string{"any role", ModeService: "a service", ModeLauncher: "a launcher", ModeAlone: "alone"}

// String says what m is.
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// firstWork is how long a service waits at least for what it was started for.
const firstWork = 10 * time.Second

// Alone reports whether this process serves itself only: because of ModeAlone,
// or because OnUnresponsive said RunAnyway.
func (i *Instance) Alone() bool { return i.role == Primary && i.tenure == nil }

// reignAlone makes i a primary that nobody else meets.
func (i *Instance) reignAlone() {
	i.srv = newServer(newLonePort(), [16]byte{}, time.Now(), i.opts)
	i.begin()
}

// A lonePort has no peers.
type lonePort struct{ closed chan struct{} }

func newLonePort() *lonePort { return &lonePort{closed: make(chan struct{})} }

func (p *lonePort) run(func(packet) func()) error {
	<-p.closed
	return net.ErrClosed
}

func (p *lonePort) send(context.Context, string, [][]byte) error { return net.ErrClosed }
func (p *lonePort) trySend(string, [][]byte)                     {}
func (p *lonePort) close() error                                 { close(p.closed); return nil }
