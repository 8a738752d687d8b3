package unique

import (
	"fmt"
	"strings"
)

// A Location is where the processes of one application id meet, and why there. All paths are absolute.
type Location struct {
	// Dir holds everything below. It is the first of these that is safe, which means that it belongs to this user, that
	// nobody else has any access to it, and that nobody else can exchange it or a directory above it:
	//
	//  1. Options.Dir; if it is not safe, that is an error
	//  2. in a Flatpak $XDG_RUNTIME_DIR/app/$FLATPAK_ID/solomq, in a Snap its own $XDG_RUNTIME_DIR/solomq
	//  3. $XDG_RUNTIME_DIR/solomq
	//  4. /run/user/<uid>/solomq, which is the same for those who were started without the session's environment
	//  5. on macOS, solomq in the user's own temporary directory
	//  6. /tmp/solomq-<uid>, then $TMPDIR/solomq-<uid>
	//  7. $HOME/.solomq, which nobody else can have taken
	//
	// On Windows it is solomq in the user's local application data, else in the temporary directory.
	Dir string
	// Scope is Options.Scope. Other scopes have other files in the same Dir.
	Scope Scope
	// Source says how Dir was found, such as "$XDG_RUNTIME_DIR".
	Source string
	// Skipped lists the directories that would have come first but are not safe or cannot be used.
	Skipped []Skipped
	// Gate and Lock are the files whose locks decide who is the primary; Start is the one that lets one launcher at a
	// time start a primary. They are never removed: a lock file that is removed elects two primaries.
	Gate, Lock, Start string
	// Record is the file in which the primary says how it is reached.
	Record string
	// Socket is where a primary listens, unless Deep; one that has succeeded
	// another may listen beside it, as its record says.
	Socket string
	// Network is the kind of network file system that Dir is on, such as "nfs", as far as it is known; empty for a local
	// one. There, locks depend on the server, and a primary on another host is not found.
	Network string
	// Deep means that Dir is too long for the address of a socket (104 bytes on some systems). The primary puts its
	// sockets into a new private directory and says in its record in which.
	Deep bool
	// TCP means that the primary listens at a loopback port, secured by CURVE, and not at Socket: the one that runs, or
	// else the next one. TCPReason says why: Options.TCP, or what was wrong with ipc when the primary started.
	TCP       bool
	TCPReason string
	// ClientKey is the file with the key that secondaries show to a primary on tcp. Nobody but the user can read it.
	ClientKey string
}

// A Skipped is a directory that was passed over.
type Skipped struct {
	Dir    string
	Source string
	// Err is why; ErrUnsafeDir if others could interfere there.
	Err error
}

// Where explains which directory and files the processes of id use, and why. It changes nothing on disk and asks nobody:
// the directory need not exist yet.
func Where(id string, opts *Options) (*Location, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	return locate(id, opts)
}

// locate is Where for options that were checked.
func locate(id string, o *Options) (*Location, error) {
	return locateIn(hostSurroundings(), id, o)
}

func locateIn(su *surroundings, id string, o *Options) (*Location, error) {
	s, skipped, err := findSite(su, id, o, false)
	if err != nil {
		return nil, err
	}
	l := &Location{
		Dir:     s.dir,
		Scope:   PerUser,
		Source:  s.place.source,
		Skipped: skipped,
		Gate:    s.gatePath(),
		Lock:    s.lockPath(),
		Start:   s.startPath(),
		Record:  s.recordPath(),
		Socket:  s.socketIn(s.socketDir(), ""),
		Network: networkKind(s.place),
		Deep:    s.deep(),

		ClientKey: s.clientKeyPath(),
	}
	if o != nil && o.Scope != 0 {
		l.Scope = o.Scope
	}
	if r, err := s.readRecord(); err == nil {
		l.TCP, l.TCPReason = r.onTCP(), r.Reason
	} else if o != nil && o.TCP {
		l.TCP, l.TCPReason = true, reasonOption
	}
	return l, nil
}

// String explains l in a few lines for humans, without a newline at the end.
func (l *Location) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "directory %s (%s)", l.Dir, l.Source)
	fmt.Fprintf(&b, "\nscope     one for each %v", l.Scope)
	if l.Network != "" {
		fmt.Fprintf(&b, "\nwarning   the directory is on a network file system (%s): its server must support locks, and only one host may use it", l.Network)
	}
	for _, s := range l.Skipped {
		fmt.Fprintf(&b, "\nskipped   %s (%s): %v", s.Dir, s.Source, s.Err)
	}
	fmt.Fprintf(&b, "\ngate      %s\nlock      %s\nstart     %s\nrecord    %s\n", l.Gate, l.Lock, l.Start, l.Record)
	if l.TCP {
		fmt.Fprintf(&b, "tcp       a loopback port that the record names, secured by CURVE: %s\nkey       %s", l.TCPReason, l.ClientKey)
	} else if l.Deep {
		b.WriteString("socket    in a private directory named by the record: this one is too long for the address of a socket")
	} else {
		b.WriteString("socket    " + l.Socket)
	}
	return b.String()
}
