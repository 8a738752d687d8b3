package unique

import (
	"context"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// An Instance is this process's part in an application id. Its methods may be
// called from several goroutines at once.
type Instance struct {
	role Role
}

// Acquire makes this process the primary for id, or else a secondary of the one
// that is. It should come first of all in a program, before anything is opened
// or shown.
//
// Whoever gets it first, once, is the primary, and remains it until Close or
// the end of the process, however that comes. A primary listens from then on:
// invocations wait in it until Serve. If there is a primary but it does not
// answer within Timeouts.Hello, the error is an UnresponsiveError: there never
// is a second primary.
//
// The id is any string that names the application, such as
// "com.example.editor". ctx bounds Acquire only, not the Instance.
func Acquire(ctx context.Context, id string, opts *Options) (*Instance, error) {
	return &Instance{}, nil
}

// Lookup tells who is the primary for id, without a part in the election. It is
// ErrNoPrimary if nobody is, and an UnresponsiveError, with what is known of
// the process, if that does not answer within Timeouts.Hello.
func Lookup(ctx context.Context, id string, opts *Options) (*Holder, error) {
	return nil, ErrNoPrimary
}

// Run is Acquire, Serve and Forward for a program with one code path: h runs
// the invocation of this process, with its standard streams, in the primary,
// whoever that is, and Run returns its exit code. In the primary, Run returns
// once there has been no work for Options.Idle; a launch that comes in that
// moment is not lost, it starts over with the next primary.
func Run(ctx context.Context, id string, opts *Options, h Handler) (exitCode int, err error) {
	return 0, nil
}

// Role tells which part this process has.
func (i *Instance) Role() Role { return i.role }

// Holder describes the primary: this process, or the one that answered last.
func (i *Instance) Holder() Holder { return Holder{} }

// Serve runs h for each invocation, each on a goroutine of its own, until ctx
// ends, the instance is closed, or there was no work for Options.Idle. Then no
// new ones are begun, the contexts of those that run are ended if ctx has
// ended, and Serve returns when they have returned: with the error of ctx, or
// nil.
//
// When ctx has ended, invocations wait again, for the next Serve, until Close
// sends them on. In a secondary Serve returns an error that wraps
// errors.ErrUnsupported.
func (i *Instance) Serve(ctx context.Context, h Handler) error { return nil }

// Forward hands inv to the primary's handler, waits for its end, and returns its
// exit code. In the primary it goes to the handler of the same process.
//
// It is run at most once. Forward starts over with the next primary as long as
// nothing can have been run; when it cannot tell, it says so with ErrGone. When
// ctx ends, the handler's context is ended and Forward returns the cause of
// ctx at once. While it runs, Forward copies the streams of inv; Stdin is read
// only as far as the handler reads. A read of Stdin that is pending when Forward
// is done is broken off, for an *os.File and whatever else has
// SetReadDeadline; of other readers it is left alone, and what it then reads
// is lost.
func (i *Instance) Forward(ctx context.Context, inv *Invocation) (exitCode int, err error) {
	return 0, nil
}

// Open returns a socket of type t on the named channel of the application, for
// its own messages: it is bound in the primary and connected in secondaries,
// in the directory of the application and to processes of the same user only.
// The socket belongs to the caller, who closes it; Close of the instance does
// not.
func (i *Instance) Open(ctx context.Context, channel string, t msgcore.Type, o *msgcore.Options) (*msgcore.Socket, error) {
	return nil, nil
}

// Endpoint returns the endpoint of the named channel and the options that
// secure it, for those who make the socket themselves: the primary is to bind
// it, secondaries connect.
func (i *Instance) Endpoint(ctx context.Context, channel string) (endpoint string, o *msgcore.Options, err error) {
	return "", nil, nil
}

// Hold keeps a primary from being idle, see Options.Idle, until release is
// called; calling that twice is harmless. In a secondary it does nothing.
func (i *Instance) Hold() (release func()) { return func() {} }

// SetIdle replaces Options.Idle in a primary, with the meaning that it has for
// Serve; the time starts anew if there is no work now.
func (i *Instance) SetIdle(d time.Duration) {}

// Close gives up the instance's part. A primary sends those away that wait or
// come from now on, so that they go on to the next primary, waits until the
// invocations that run have ended, and only then makes room for the next one.
// It must not be called by a handler, which it would wait for. Shutdown is for
// those who do not want to wait so long.
func (i *Instance) Close() error { return nil }

// Shutdown is Close, but ends the contexts of the handlers that still run when
// ctx ends.
func (i *Instance) Shutdown(ctx context.Context) error { return nil }
