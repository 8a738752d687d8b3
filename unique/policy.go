package unique

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// A Decision is what to do about a primary that does not answer; see
// Options.OnUnresponsive. 0 is Fail.
type Decision uint8

// The decisions.
const (
	Fail      Decision = iota + 1 // Acquire returns the UnresponsiveError
	Retry                         // look again, with the full time
	RunAnyway                     // go on alone: see ModeAlone
	// Terminate ends its process, by SIGTERM and 5 s later by SIGKILL (on
	// Windows at once), and looks again. It is identified by the lock that it
	// holds and its time of start, never by a number that another process may
	// have by now; where the system does not tell these, Acquire fails.
	Terminate
)

// A VersionDecision is what to do about a primary of another version; see
// Options.OnVersion. 0 is ForwardAnyway.
type VersionDecision uint8

// The decisions.
const (
	ForwardAnyway  VersionDecision = iota + 1 // hand over as ever
	ReplacePrimary                            // take its place, as by Options.Replace; in Forward the same as ForwardAnyway
	RefuseVersion                             // fail with a VersionError
)

// Ask returns a hook for Options.OnUnresponsive that asks a person, on a
// terminal for example, and takes the first letter of a line as the answer. At
// the end of the input it fails.
func Ask(in io.Reader, out io.Writer) func(*UnresponsiveError) Decision {
	lines := bufio.NewScanner(in)
	return func(e *UnresponsiveError) Decision {
		for {
			_, err := fmt.Fprintf(out, "The program runs already (%s) but does not answer. [w]ait, [e]nd it, [r]un beside it, or [q]uit? ", e.Holder.who())
			if err != nil || !lines.Scan() {
				return Fail
			}
			switch strings.ToLower(strings.TrimSpace(lines.Text()) + " ")[0] {
			case 'w':
				return Retry
			case 'e':
				return Terminate
			case 'r':
				return RunAnyway
			case 'q':
				return Fail
			}
		}
	}
}

// checkVersion asks OnVersion about h, if there is reason to.
func (o *Options) checkVersion(h Holder) (VersionDecision, error) {
	if o.OnVersion == nil || h.Version == o.Version {
		return ForwardAnyway, nil
	}
	d := o.OnVersion(&h)
	if d == RefuseVersion {
		return d, &VersionError{Holder: h, Want: o.Version}
	}
	return d, nil
}
