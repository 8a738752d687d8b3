package unique

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// The commands that programs have in common (Invocation.Command). An
// application has any of its own beside them: names of at most 255 bytes, such
// as "com.example.reload". No command at all, "", is a command line: see Args.
const (
	CommandActivate = "activate" // come to the front
	CommandNew      = "new"      // open a new, empty document or window
	CommandOpen     = "open"     // open the Targets
	CommandClose    = "close"    // close the Targets or, without any, end
)

// An Answer is what became of a command.
type Answer uint8

// The answers.
const (
	AnswerOK         Answer = iota + 1 // it is done
	AnswerCanceled                     // the user did not want it
	AnswerFailed                       // it was tried and could not be done
	AnswerNotHandled                   // nothing was done: start yourself
)

var answerNames = [...]string{AnswerOK: "ok", AnswerCanceled: "canceled", AnswerFailed: "failed", AnswerNotHandled: "not handled"}

// String returns the name of a in lower case.
func (a Answer) String() string {
	if a > 0 && int(a) < len(answerNames) {
		return answerNames[a]
	}
	return fmt.Sprintf("Answer(%d)", uint8(a))
}

// answerOf is what an exit code says when the handler has set no answer.
func answerOf(set Answer, code int) Answer {
	switch {
	case code == NotHandled:
		return AnswerNotHandled
	case set != 0:
		return set
	case code == 0:
		return AnswerOK
	}
	return AnswerFailed
}

// Commands has a handler for each command. Dispatch is the Handler to Serve:
//
//	app.Serve(ctx, unique.Commands{"": run, unique.CommandOpen: open}.Dispatch)
type Commands map[string]Handler

// Dispatch runs the handler of inv.Command; if there is none, it answers
// NotHandled.
func (c Commands) Dispatch(ctx context.Context, inv *Invocation) (exitCode int) {
	h := c[inv.Command]
	if h == nil {
		return NotHandled
	}
	return h(ctx, inv)
}

// WithCommand makes inv ask for a command, with the files or URIs that it is
// about; relative names of files are relative to Dir. It changes and returns
// inv.
func (inv *Invocation) WithCommand(name string, targets ...string) *Invocation {
	inv.Command, inv.Targets = name, targets
	return inv
}

// Command asks the primary for a command on behalf of this process, with the
// files or URIs that it is about, and waits for the answer. It is Forward of
// Current without streams; AnswerNotHandled is an answer here, and no error.
// With an error, the answer is 0.
func (i *Instance) Command(ctx context.Context, name string, targets ...string) (Answer, error) {
	inv := Current().WithCommand(name, targets...)
	_, err := i.Forward(ctx, inv)
	if errors.Is(err, ErrNotHandled) {
		return AnswerNotHandled, nil
	}
	if err != nil {
		return 0, err
	}
	return inv.Answer, nil
}

// TargetPath returns the path of a file among Targets: target itself, resolved
// as by Path, or that of a file URI of this host. Any other URI is an error.
func (inv *Invocation) TargetPath(target string) (string, error) {
	scheme, _, ok := strings.Cut(target, ":")
	if !ok || !isScheme(scheme) {
		return inv.Path(target)
	}
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return "", fmt.Errorf("unique: target is no URI: %w", errors.Unwrap(err)) // without its text
	case !strings.EqualFold(u.Scheme, "file"):
		return "", fmt.Errorf("unique: a target with scheme %q is not a file", u.Scheme)
	case u.Host != "" && u.Host != "localhost":
		return "", errors.New("unique: a target is a file of another host")
	case u.Path == "":
		return "", errors.New("unique: a target is a file URI without a path")
	}
	return filepath.Clean(uriPath(u.Path)), nil
}

// isScheme reports whether s is what a URI may begin with. One letter is a
// drive of Windows.
func isScheme(s string) bool {
	if len(s) < 2 {
		return false
	}
	for k, r := range s {
		switch {
		case 'a' <= r|0x20 && r|0x20 <= 'z':
		case k > 0 && ('0' <= r && r <= '9' || r == '+' || r == '-' || r == '.'):
		default:
			return false
		}
	}
	return true
}
