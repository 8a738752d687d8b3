package unique

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"time"
)

// Options configures Acquire, Run, Lookup and Where. Nil and the zero value of
// each field mean the default. All processes of one application should use the
// same Dir; the rest may differ. Options are copied, never changed.
type Options struct {
	// Dir is where the lock, the rendezvous record and the sockets live. It is
	// created with mode 0700 if it does not exist, and refused with an
	// [UnsafeDirError] if others could write to it. Empty means the runtime
	// directory of the user; Where tells which one that is and why.
	Dir string
	// Admit lets processes of other users in. Nil refuses them all, root included.
	// It needs Dir: a directory that its owner has opened for those users, by
	// modes such as 0750 or 0755, and that nobody else may write to. The owner's
	// processes alone can be the primary; those of others hand over only, and
	// Acquire there is ErrNoPrimary if there is none. Admit is asked about each
	// process of another user, by the kernel's word: in the primary about whoever
	// connects, elsewhere about the primary. An error refuses it. Unix only, and
	// not with TCP.
	Admit func(Peer) error
	// TCP makes the primary listen at a port of loopback tcp, secured by CURVE
	// with a key that only this user can read, instead of at a socket of ipc. It
	// does so by itself where ipc is not to be had; Where tells why. Secondaries
	// find either.
	TCP bool
	// Scope says of which launches one process is the primary; 0 means PerUser.
	Scope Scope
	// ScopeKey is the directory of PerDirectory, which must exist, or the name of
	// PerGroup.
	ScopeKey string
	// Listener, if not nil, is what the primary listens at for secondaries, instead
	// of a socket that it makes: a Unix socket at Location.Socket, see Activated. It
	// belongs to the Instance from then on.
	Listener net.Listener
	// Mode says which roles this process may have; 0 means both.
	Mode Mode
	// Replace makes Acquire ask a primary that is there to leave, and be its
	// successor: once what runs there has ended, however long that takes, this
	// process is the primary, and no launch in between is refused. A primary
	// without AllowReplace declines, and this process is an ordinary secondary.
	Replace bool
	// AllowReplace lets a process that has Replace, or whose OnVersion says so,
	// take this primary's place. It learns of that by Lost, and Serve returns a
	// [ReplacedError].
	AllowReplace bool
	// Standby makes Run stay in a secondary when its own invocation is over, wait
	// until the primary has ended, and stand for election then: it is the next
	// primary, or again a secondary of that one.
	Standby bool
	// Version is the application's own version, told to the other side; by
	// itself it decides nothing, see OnVersion. At most 255 bytes.
	Version string
	// Timeouts bounds the steps of handing over.
	Timeouts Timeouts
	// Idle is how long the primary stays without work: nothing running,
	// nothing queued, no Hold. Then it leaves, and Serve and Run return. For
	// Run, 0 leaves as soon as there is no work; for Serve, 0 stays. Negative
	// stays until the context ends or Close is called. SetIdle changes it
	// later.
	Idle time.Duration
	// StartPrimary makes every caller of Acquire and Run a secondary: if there
	// is no primary, it starts this command as a detached process, in a
	// session of its own with its streams on the null device, and waits until
	// that one is the primary. The command is a program that calls Acquire for
	// the same id with StartPrimary nil. It is started in the root directory
	// and with the environment of the caller, unless it says otherwise; its
	// Stdin, Stdout, Stderr and ExtraFiles are ignored. The Cmd itself is only
	// read, so it can serve several calls.
	StartPrimary *exec.Cmd
	// MaxRunning is how many invocations the primary runs at once; more wait
	// for their turn. 0 means 256.
	MaxRunning int
	// MaxQueued is how many invocations may wait in the primary, before Serve
	// or for their turn; a secondary beyond it is told so and tries again
	// until its context ends. 0 means 1024.
	MaxQueued int
	// MaxRequest is the largest request that the primary accepts, in bytes of
	// arguments, environment, directory and Data together; the secondary gets
	// a [TooLargeError]. It bounds Reply in the same way. 0 means 64 MiB.
	MaxRequest int64
	// Env names the environment variables that a secondary sends along, beyond
	// those that desktop activation needs: DISPLAY, WAYLAND_DISPLAY,
	// XAUTHORITY, XDG_SESSION_ID, XDG_SEAT, XDG_CURRENT_DESKTOP, TERM,
	// COLORTERM, NO_COLOR, LANG, LANGUAGE, TZ and every LC_ variable. A name
	// that ends in "*" stands for all that begin so: Env: []string{"*"} sends
	// the entire environment.
	Env []string
	// OnPanic is told, in the primary, of each panic of a handler with its
	// stack, on the goroutine of the handler. The caller gets a [PanicError]
	// and the primary goes on. Nil means that value and stack are printed on
	// the primary's standard error, where a panic that is not recovered would
	// have gone.
	OnPanic func(inv *Invocation, value any, stack []byte)
	// OnUnresponsive decides, in Acquire, what to do about a primary that does
	// not answer. It may ask somebody, see Ask, and may be called again if the
	// next look finds the same. Nil means Fail: nothing is ever done to another
	// process by itself.
	OnUnresponsive func(*UnresponsiveError) Decision
	// OnVersion decides, in Acquire and Forward of a secondary, what to do about
	// a primary whose Version is not the same as ours. Nil means ForwardAnyway.
	OnVersion func(primary *Holder) VersionDecision
	// Log, if not nil, is told what happens, as a message and pairs of keys and
	// values, on any goroutine and sometimes with locks held: it must neither
	// wait nor call this package. The Debug, Info or any such method of a
	// slog.Logger fits. Arguments, environment and tokens are never among it.
	Log func(msg string, args ...any)
}

// Timeouts bounds the steps of handing over an invocation. The time that a
// handler runs is bounded by contexts only.
type Timeouts struct {
	// Hello bounds finding out whether the primary is alive: to connect and to
	// be greeted. 0 means 2 s.
	Hello time.Duration
	// Offer bounds how long a live primary that is neither starting nor busy
	// may take to make a handler free for a request that it has got, or to take
	// no byte of one that it gets, and how long Acquire waits for one that is
	// leaving. 0 means 10 s.
	Offer time.Duration
	// Go bounds how long the primary keeps a handler free for a secondary that
	// does not say go. 0 means 10 s.
	Go time.Duration
	// Start bounds how long a primary started by StartPrimary may take until
	// it answers. 0 means 30 s.
	Start time.Duration
}

const (
	defaultHello      = 2 * time.Second
	defaultOffer      = 10 * time.Second
	defaultGo         = 10 * time.Second
	defaultStart      = 30 * time.Second
	defaultMaxRunning = 256
	defaultMaxQueued  = 1024
	defaultMaxRequest = 64 << 20
	maxVersionLen     = 255
)

// Validate reports what is wrong with o, or nil. Acquire and its like do it
// first of all.
func (o *Options) Validate() error {
	if o == nil {
		return nil
	}
	bad := func(field, format string, args ...any) error {
		return fmt.Errorf("unique: Options."+field+" "+format, args...)
	}
	t := o.Timeouts
	switch {
	case o.Admit != nil && admitSupport != nil:
		return admitSupport
	case o.Admit != nil && o.Dir == "":
		return bad("Admit", "needs Options.Dir: other users do not share the directory of this one")
	case o.Admit != nil && o.TCP:
		return bad("Admit", "does not go with Options.TCP, where only this user has the key")
	case o.Mode > ModeAlone:
		return bad("Mode", "is %d, which is none", o.Mode)
	case o.Listener != nil && o.Listener.Addr().Network() != "unix":
		return bad("Listener", "is of network %q, want a Unix socket", o.Listener.Addr().Network())
	case o.Listener != nil && (o.TCP || o.StartPrimary != nil || o.Mode == ModeLauncher):
		return bad("Listener", "is for a process that may be the primary, at that socket")
	case o.StartPrimary != nil && o.Mode != 0 && o.Mode != ModeLauncher:
		return bad("StartPrimary", "makes this process a launcher, which is not %v", o.Mode)
	case o.Replace && (o.StartPrimary != nil || o.Mode == ModeLauncher || o.Mode == ModeAlone):
		return bad("Replace", "needs a process that may be the primary")
	case t.Hello < 0 || t.Offer < 0 || t.Go < 0 || t.Start < 0:
		return bad("Timeouts", "must not be negative: %+v", t)
	case o.MaxRunning < 0:
		return bad("MaxRunning", "is %d, want 0 for the default or more", o.MaxRunning)
	case o.MaxQueued < 0:
		return bad("MaxQueued", "is %d, want 0 for the default or more", o.MaxQueued)
	case o.MaxRequest < 0 || o.MaxRequest > maxRequestLimit:
		return bad("MaxRequest", "is %d, want 0 for the default or at most %d", o.MaxRequest, int64(maxRequestLimit))
	case len(o.Version) > maxVersionLen:
		return bad("Version", "has %d bytes, the limit is %d", len(o.Version), maxVersionLen)
	case o.StartPrimary != nil && o.StartPrimary.Path == "":
		return bad("StartPrimary", "names no program")
	case o.StartPrimary != nil && o.StartPrimary.Err != nil:
		return bad("StartPrimary", "cannot be run: %w", o.StartPrimary.Err)
	}
	if err := o.validateScope(); err != nil {
		return err
	}
	for _, name := range o.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(strings.TrimSuffix(name, "*"), "*") {
			return bad("Env", "holds %q, want the name of a variable or the beginning of one and a \"*\"", name)
		}
	}
	return nil
}

// maxRequestLimit keeps sizes far from overflow, on 32-bit systems too.
const maxRequestLimit = 1 << 30

// withDefaults returns a copy of o, which may be nil, with every default
// filled in but those of Idle, whose zero means different things to Run and
// Serve.
func (o *Options) withDefaults() *Options {
	var c Options
	if o != nil {
		c = *o
	}
	or := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	or(&c.Timeouts.Hello, defaultHello)
	or(&c.Timeouts.Offer, defaultOffer)
	or(&c.Timeouts.Go, defaultGo)
	or(&c.Timeouts.Start, defaultStart)
	if c.MaxRunning == 0 {
		c.MaxRunning = defaultMaxRunning
	}
	if c.MaxQueued == 0 {
		c.MaxQueued = defaultMaxQueued
	}
	if c.MaxRequest == 0 {
		c.MaxRequest = defaultMaxRequest
	}
	return &c
}
