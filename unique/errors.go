package unique

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers branch on, to be tested with errors.Is. Those that have
// more to tell are structs, found with errors.As, which match their sentinel.
var (
	// ErrNoPrimary: nobody is the primary. From Forward it means that the
	// primary of this Instance has ended before the request reached a handler:
	// nothing was delivered, and the caller may Acquire again.
	ErrNoPrimary = errors.New("unique: no primary")
	// ErrUnresponsive: there is a primary, but it does not answer. Nothing was
	// delivered. See UnresponsiveError.
	ErrUnresponsive = errors.New("unique: the primary does not answer")
	// ErrLeaving: the primary is ending, and has not ended in time. Nothing
	// was delivered. See LeavingError.
	ErrLeaving = errors.New("unique: the primary is leaving")
	// ErrExpired: the secondary was too late, again and again, in saying go.
	// Nothing was run.
	ErrExpired = errors.New("unique: the offer of the primary expired each time before it was taken")
	// ErrNotHandled: the handler answered NotHandled; whatever the invocation
	// asks for is still to be done, by the caller itself.
	ErrNotHandled = errors.New("unique: the primary does not handle this invocation")
	// ErrGone: the primary ended or broke off while it ran the invocation,
	// which may have been done in part or in full. See GoneError.
	ErrGone = errors.New("unique: the primary is gone")
	// ErrPanicked: the handler panicked. See PanicError.
	ErrPanicked = errors.New("unique: the handler panicked")
	// ErrRefused: the primary refused the request. Nothing was run. See
	// RefusedError.
	ErrRefused = errors.New("unique: the primary refused the request")
	// ErrTooLarge: a request or a reply is over the limit. See TooLargeError.
	ErrTooLarge = errors.New("unique: too large")
	// ErrUnsafeDir: others could interfere in the directory. See
	// UnsafeDirError.
	ErrUnsafeDir = errors.New("unique: unsafe directory")
	// ErrOtherUser: the other side belongs to another user. See
	// OtherUserError.
	ErrOtherUser = errors.New("unique: other user")
	// ErrStart: StartPrimary brought no primary. See StartError.
	ErrStart = errors.New("unique: the primary could not be started")
	// ErrRunning: there is a primary already. See RunningError.
	ErrRunning = errors.New("unique: there is a primary already")
	// ErrVersion: the primary is of another version. See VersionError.
	ErrVersion = errors.New("unique: the primary is of another version")
	// ErrElevated: the process at the other end has more rights than this one
	// and is not talked to. See OtherUserError.
	ErrElevated = errors.New("unique: the primary has other rights")
	// ErrLost: this process was the primary, and its place was taken away. See
	// ReplacedError and UprootedError.
	ErrLost = errors.New("unique: the place of the primary was lost")
	// ErrCallerGone is the cause (context.Cause) of the end of a handler's
	// context when the secondary has died or hung up.
	ErrCallerGone = errors.New("unique: the caller is gone")
	// ErrCanceled is the cause of the end of a handler's context when the
	// caller's own context has ended.
	ErrCanceled = errors.New("unique: the caller has given up")
)

// An UnresponsiveError is an ErrUnresponsive: somebody holds the place of the
// primary but gave no answer in time. Its process may be stopped, or hang.
type UnresponsiveError struct {
	// Holder is what is known of it; its PID is 0 if not even that is.
	Holder Holder
	// Step is what it did not answer: "hello" or "request".
	Step string
	// After is how long it was waited for.
	After time.Duration

	lock string // the path of the lock that it holds, if no record was found
}

// Error implements error.
func (e *UnresponsiveError) Error() string {
	return fmt.Sprintf("unique: the primary, %s, did not answer the %s within %v; it may be stopped or hang: nothing was delivered to it",
		e.Holder.who(), e.Step, e.After.Round(time.Millisecond))
}

// Is reports whether target is ErrUnresponsive.
func (e *UnresponsiveError) Is(target error) bool { return target == ErrUnresponsive }

// A LeavingError is an ErrLeaving.
type LeavingError struct {
	Holder Holder
}

// Error implements error.
func (e *LeavingError) Error() string {
	return fmt.Sprintf("unique: the primary, %s, is leaving but waits for invocations that still run; try again once it has ended", e.Holder.who())
}

// Is reports whether target is ErrLeaving.
func (e *LeavingError) Is(target error) bool { return target == ErrLeaving }

// A GoneError is an ErrGone: after it was told to go, and before it told an
// exit code, the primary died, or its connection broke.
type GoneError struct {
	Holder Holder
	// Err is how the connection ended.
	Err error
}

// Error implements error.
func (e *GoneError) Error() string {
	return fmt.Sprintf("unique: the primary, %s, is gone while it ran the invocation, which may be done in part or in full: %v", e.Holder.who(), e.Err)
}

// Is reports whether target is ErrGone.
func (e *GoneError) Is(target error) bool { return target == ErrGone }

// Unwrap returns e.Err.
func (e *GoneError) Unwrap() error { return e.Err }

// A PanicError is an ErrPanicked: what the caller learns of a handler's panic.
type PanicError struct {
	Holder Holder
	// Reason is the text of a run-time error, and for any other value its
	// type: the value itself stays in the primary, see Options.OnPanic.
	Reason string
}

// Error implements error.
func (e *PanicError) Error() string {
	return fmt.Sprintf("unique: the handler in the primary, %s, panicked: %s", e.Holder.who(), e.Reason)
}

// Is reports whether target is ErrPanicked.
func (e *PanicError) Is(target error) bool { return target == ErrPanicked }

// A RefusedError is an ErrRefused.
type RefusedError struct {
	Holder Holder
	// Reason is the primary's.
	Reason string
}

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("unique: the primary, %s, refused the request: %s", e.Holder.who(), e.Reason)
}

// Is reports whether target is ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// A TooLargeError is an ErrTooLarge.
type TooLargeError struct {
	// Holder is the primary.
	Holder Holder
	// What is too large: "request" or "reply".
	What string
	// Size and Limit are in bytes; the limit is the primary's
	// Options.MaxRequest.
	Size, Limit int64
}

// Error implements error.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("unique: a %s of %d bytes is over the limit of %d of the primary, %s (Options.MaxRequest)", e.What, e.Size, e.Limit, e.Holder.who())
}

// Is reports whether target is ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// An UnsafeDirError is an ErrUnsafeDir.
type UnsafeDirError struct {
	// Path is the directory that is unsafe: the one asked for or one above it.
	Path string
	// Reason says what is wrong with it, such as "writable by its group
	// (mode 0770)".
	Reason string
}

// Error implements error.
func (e *UnsafeDirError) Error() string {
	return fmt.Sprintf("unique: directory %s is not safe: %s", e.Path, e.Reason)
}

// Is reports whether target is ErrUnsafeDir.
func (e *UnsafeDirError) Is(target error) bool { return target == ErrUnsafeDir }

// An OtherUserError is an ErrOtherUser: by the kernel's word the process at
// the other end belongs to another user. Nothing was sent to it.
type OtherUserError struct {
	// PID and UID are the other process's; -1 if the system does not tell.
	PID, UID int
	// Want is the user that was expected, ours.
	Want int
}

// Error implements error.
func (e *OtherUserError) Error() string {
	return fmt.Sprintf("unique: the process at the other end (pid %d) runs as uid %d, not as uid %d: it is not trusted", e.PID, e.UID, e.Want)
}

// Is reports whether target is ErrOtherUser, or ErrElevated if the other user is
// root.
func (e *OtherUserError) Is(target error) bool {
	return target == ErrOtherUser || target == ErrElevated && e.UID == 0
}

// A StartError is an ErrStart: the command of Options.StartPrimary could not
// be run, or ended before it was the primary, or took too long.
type StartError struct {
	// PID is that of the process; 0 if none could be started.
	PID int
	Err error
}

// Error implements error.
func (e *StartError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("unique: the primary could not be started: %v", e.Err)
	}
	return fmt.Sprintf("unique: the process started as primary (pid %d) did not become it: %v", e.PID, e.Err)
}

// Is reports whether target is ErrStart.
func (e *StartError) Is(target error) bool { return target == ErrStart }

// Unwrap returns e.Err.
func (e *StartError) Unwrap() error { return e.Err }

// A RunningError is an ErrRunning: this process wanted to be the primary
// (ModeService), but another one is.
type RunningError struct {
	Holder Holder
}

// Error implements error.
func (e *RunningError) Error() string {
	return fmt.Sprintf("unique: there is a primary already, %s", e.Holder.who())
}

// Is reports whether target is ErrRunning.
func (e *RunningError) Is(target error) bool { return target == ErrRunning }

// A VersionError is an ErrVersion: Options.OnVersion refused the primary, or the
// two have no version of the protocol in common. Nothing was delivered.
type VersionError struct {
	// Holder has the primary's version of the application.
	Holder Holder
	// Want is ours.
	Want string
	// Protocol says that it is about the protocol.
	Protocol bool
}

// Error implements error.
func (e *VersionError) Error() string {
	if e.Protocol {
		return fmt.Sprintf("unique: the primary, %s, speaks another version of the protocol; start it anew", e.Holder.who())
	}
	return fmt.Sprintf("unique: the primary, %s, is version %q, this is %q", e.Holder.who(), e.Holder.Version, e.Want)
}

// Is reports whether target is ErrVersion.
func (e *VersionError) Is(target error) bool { return target == ErrVersion }

// A ReplacedError is an ErrLost: another process has taken the place, see
// Options.AllowReplace.
type ReplacedError struct {
	// By is the process that is the primary now.
	By Peer
}

// Error implements error.
func (e *ReplacedError) Error() string {
	return fmt.Sprintf("unique: pid %d has replaced this primary", e.By.PID)
}

// Is reports whether target is ErrLost.
func (e *ReplacedError) Is(target error) bool { return target == ErrLost }

// An UprootedError is an ErrLost: the directory was wiped, and before that could
// be mended another process became the primary.
type UprootedError struct {
	// Path is the lock file, which is another process's by now.
	Path string
}

// Error implements error.
func (e *UprootedError) Error() string {
	return fmt.Sprintf("unique: the lock file %s was removed and another process is the primary by now", e.Path)
}

// Is reports whether target is ErrLost.
func (e *UprootedError) Is(target error) bool { return target == ErrLost }
