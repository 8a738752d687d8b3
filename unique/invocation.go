package unique

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// A Handler runs an invocation in the primary and returns its exit code, which
// is what the process that was started exits with. Its context ends when the
// caller is gone or has given up, and when Serve's context ends;
// context.Cause tells which. It runs on a goroutine of its own, many of them at
// once. A handler that panics is recovered: its caller gets a PanicError.
type Handler func(ctx context.Context, inv *Invocation) (exitCode int)

// NotHandled, returned by a Handler, tells the caller that nothing was done:
// its Forward returns ErrNotHandled and it may go on by itself.
const NotHandled = -1 << 31

// An Invocation is one start of the program: what is handed over, and what a
// Handler is given. Its fields are named as in exec.Cmd. One made by hand is
// valid in a handler's unit test.
//
// Strings are bytes: arguments that are not valid UTF-8 arrive as they were.
type Invocation struct {
	// Args is the command line, with the name of the program first.
	Args []string
	// Env is the environment as "name=value"; of it, Forward sends what
	// Options.Env says. It never holds the tokens that are in Activation.
	Env []string
	// Dir is the working directory. If it is empty, DirErr says why.
	Dir string
	// DirErr is not nil if the working directory could not be told; for one
	// that was deleted it matches fs.ErrNotExist.
	DirErr error
	// Stdin, Stdout and Stderr are the streams. To Forward, nil ones are not
	// forwarded. A Handler finds none of them nil: an unforwarded Stdin is
	// empty, and what is written to an unforwarded Stdout or Stderr is
	// dropped. A Handler's Write fails once the caller cannot write any more
	// (with EPIPE if it is because nobody reads), and when the caller is gone.
	// They must not be used after the handler has returned. The Wait of an
	// exec.Cmd whose Stdin is this one waits for the caller's input as well,
	// unless its WaitDelay is set or its StdinPipe is used instead.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Data is the application's own, to the primary: set it before Forward.
	Data [][]byte
	// Reply is the application's own, back to the caller: a Handler sets it,
	// and the caller finds it there when Forward has returned an exit code.
	Reply [][]byte
	// Activation holds the tokens by which a desktop lets a window take the
	// focus on behalf of this start.
	Activation Activation
	// Command names what is asked for; "" is a command line, as in Args. See
	// WithCommand and Commands.
	Command string
	// Targets are the files or URIs that the command is about; see TargetPath.
	Targets []string
	// Answer is what became of the command: a Handler may set it, and the caller
	// finds it there when Forward has returned an exit code or ErrNotHandled.
	// 0 means that the exit code says it: AnswerOK for 0, else AnswerFailed.
	Answer Answer
	// Terminal is not nil if a stream of the caller is a terminal. WithStdio
	// sets it.
	Terminal *Terminal
	// Peer is the process that was started, for a Handler.
	Peer Peer
	// OnProgress, if not nil, is called during Forward with what the Handler
	// tells by Progress, in order, on one goroutine. It may block, but then
	// only the newest waits for it.
	OnProgress func(Progress)

	forwardSignals []os.Signal      // to Forward: what WithSignals asked for
	signals        <-chan os.Signal // in a Handler
	progress       func(p Progress) // in a Handler; nil drops
	deferral       func() func(int) // in a Handler; see Defer
}

// Activation holds startup notification tokens; empty ones were not given.
type Activation struct {
	Token     string // XDG_ACTIVATION_TOKEN, of Wayland
	StartupID string // DESKTOP_STARTUP_ID, of X11
}

// A Peer is the process behind an Invocation. PID, UID and GID are the kernel's
// word, not the process's; what the system does not tell is -1.
type Peer struct {
	PID, UID, GID int
	// Version is the Options.Version of the process, by its own word.
	Version string
}

// Progress is how far an invocation has come.
type Progress struct {
	Done, Total int64  // in any unit; Total 0 means unknown
	Text        string // for people; at most 64 KiB arrive
}

// Current returns the invocation of this process, without its streams. The
// tokens of desktop activation are taken out of the environment of the process
// by its first call, or by the first Acquire, so that children do not inherit
// them; they are in Activation each time.
func Current() *Invocation {
	inv := &Invocation{Args: append([]string(nil), os.Args...), Activation: tokens()}
	var later Activation // set since then, by the program itself
	env := os.Environ()
	inv.Env = make([]string, 0, len(env))
	for _, kv := range env {
		if !later.take(kv) {
			inv.Env = append(inv.Env, kv)
		}
	}
	if later != (Activation{}) {
		inv.Activation = later
	}
	inv.Dir, inv.DirErr = os.Getwd()
	if inv.DirErr != nil {
		inv.Dir = ""
	}
	return inv
}

// WithStdio makes Forward forward the standard streams of this process, and
// tell which of them are a terminal. It changes and returns inv.
func (inv *Invocation) WithStdio() *Invocation {
	inv.Stdin, inv.Stdout, inv.Stderr = os.Stdin, os.Stdout, os.Stderr
	inv.Terminal = terminalOf(os.Stdin, os.Stdout, os.Stderr, os.Getenv("TERM"))
	return inv
}

// WithSignals makes Forward hand over signals that this process gets, instead
// of letting them act on it; a Handler finds them at Signals. Without arguments
// these are the interrupt (Ctrl-C) and SIGTERM; see TerminalSignals for more. A
// SIGTSTP stops this process once it is handed over, as its user expects; a
// SIGWINCH takes the new size of the terminal along. It changes and returns inv.
func (inv *Invocation) WithSignals(sigs ...os.Signal) *Invocation {
	if len(sigs) == 0 {
		sigs = []os.Signal{os.Interrupt, syscall.SIGTERM}
	}
	inv.forwardSignals = append([]os.Signal(nil), sigs...)
	return inv
}

// Signals returns, in a Handler, the channel of the signals that the caller
// hands over; it is never closed. If it is not read from, 16 wait and the rest
// is dropped. Elsewhere it is nil.
func (inv *Invocation) Signals() <-chan os.Signal { return inv.signals }

// Progress tells the caller, from a Handler, how far it has come. It does not
// wait for the caller to take notice. Elsewhere it does nothing.
func (inv *Invocation) Progress(p Progress) {
	if inv.progress != nil {
		inv.progress(p)
	}
}

// Path returns name as seen by the process that was started: resolved against
// Dir if it is relative. If Dir is not known, that is an error, DirErr, because
// any guess could be another file.
func (inv *Invocation) Path(name string) (string, error) {
	if filepath.IsAbs(name) {
		return filepath.Clean(name), nil
	}
	if inv.Dir == "" {
		if inv.DirErr != nil {
			return "", inv.DirErr
		}
		return "", errors.New("unique: a relative path cannot be resolved: the invocation has no directory")
	}
	return filepath.Join(inv.Dir, name), nil
}

// Getenv returns the value of the variable name in Env, or "".
func (inv *Invocation) Getenv(name string) string {
	for i := len(inv.Env) - 1; i >= 0; i-- {
		kv := inv.Env[i]
		if len(kv) > len(name) && kv[len(name)] == '=' && kv[:len(name)] == name {
			return kv[len(name)+1:]
		}
	}
	return ""
}
