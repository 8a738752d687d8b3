package unique

import (
	"fmt"
	"time"
)

// A Role is what a process is for an application id.
type Role uint8

// The roles.
const (
	Primary   Role = iota + 1 // it runs the invocations of all
	Secondary                 // it hands its own over
)

// String returns "primary" or "secondary".
func (r Role) String() string {
	switch r {
	case Primary:
		return "primary"
	case Secondary:
		return "secondary"
	}
	return fmt.Sprintf("Role(%d)", uint8(r))
}

// A State is what a primary says of itself.
type State uint8

// The states.
const (
	Booting State = iota + 1 // Serve was not called yet: invocations wait
	Serving                  // a handler is free
	Busy                     // as many handlers run as may: invocations wait
	Leaving                  // it takes nothing any more
)

var stateNames = [...]string{Booting: "booting", Serving: "serving", Busy: "busy", Leaving: "leaving"}

// String returns the name of s in lower case.
func (s State) String() string {
	if s > 0 && int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// A Holder is the process that is the primary.
type Holder struct {
	PID     int
	UID     int       // -1 where the system has none
	Version string    // Options.Version of the primary
	Started time.Time // when it became the primary
	State   State     // when it was last heard of; 0 if it never answered
	// Endpoint is where it is reached, such as "ipc:///run/user/1000/...".
	Endpoint string
	// Successor is the pid of the process that takes its place as soon as what
	// runs has ended; 0 if there is none.
	Successor int
}

// Uptime is how long it has been the primary; 0 if that is not known.
func (h Holder) Uptime() time.Duration {
	if h.Started.IsZero() {
		return 0
	}
	return time.Since(h.Started)
}

// who names h in error texts.
func (h Holder) who() string {
	if h.PID <= 0 {
		return "a process of unknown pid"
	}
	if h.UID < 0 {
		return fmt.Sprintf("pid %d", h.PID)
	}
	return fmt.Sprintf("pid %d of uid %d", h.PID, h.UID)
}
