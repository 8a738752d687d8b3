// Package auth says who may connect: by address, by password, by public key. What
// it goes by is in files that administrators know how to edit, and that count from
// then on without a restart.
//
//	a, err := auth.New(&auth.Options{
//		Allow: []string{"192.0.2.0/24", "local"},
//		Keys:  "/etc/example/clients",
//	})
//	if err != nil {
//		return err
//	}
//	rep := msgcore.NewRep(&msgcore.Options{
//		Mechanism: curve.Server(secret),
//		Authorize: a.Authorize,
//	})
//
// It is a package of its own because it brings bcrypt and Argon2 along: a program
// with other ideas sets Options.Authorize to a function of its own and links
// neither.
package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// Options says who is admitted. What is left out admits nobody: an Authorizer
// without Passwords refuses PLAIN, one without Keys and AnyKey refuses CURVE, and
// one without Null refuses NULL.
type Options struct {
	// Deny and Allow list addresses ("192.0.2.7", "2001:db8::1") and networks
	// ("192.0.2.0/24"), or "local" for peers without an address, which are those
	// of ipc. Whoever is in Deny is refused, and so is, unless Allow is empty,
	// whoever is not in Allow. The address is that of the connection: a peer
	// behind a router or a proxy has its address.
	Deny, Allow []string
	// Passwords is the file with the users of PLAIN, a line each: the name, a
	// colon, and a hash of the password made by bcrypt ("$2b$...", as htpasswd -B
	// writes it) or Argon2id ("$argon2id$v=19$...", as HashPassword does). Empty
	// lines and those that begin with "#" are skipped. User-Id is the name.
	Passwords string
	// Keys is the directory with the public keys of CURVE clients: a certificate
	// of CZMQ's format for each, with any name that neither begins with a dot nor
	// ends with "_secret". User-Id is "user-id" of its metadata, or else the key
	// in Z85; what else is there becomes a property with "X-" before its name.
	Keys string
	// AnyKey admits every client of CURVE: those that know the server's key.
	AnyKey bool
	// Null admits peers without credentials, of NULL: their address decides.
	Null bool

	// Age is how old the content of Passwords and Keys may be: after that they
	// are looked at again with the next peer. 0 means 1 s, negative looks for
	// each peer.
	Age time.Duration
	// OnError is told what is wrong with a file or a directory that was changed;
	// what was right before stays in use. It is called on the goroutine of a
	// handshake. Nil tells nobody; Reload returns it, too.
	OnError func(error)
}

// An Authorizer decides. It may be used by any number of sockets at once.
type Authorizer struct {
	opts        Options
	deny, allow addressList

	checking sync.Mutex   // of who looks at the files
	checked  atomic.Int64 // when they were looked at, in nanoseconds of time.Now
	began    time.Time    // to measure that from
	users    users        // guarded by checking
	keys     keys         // guarded by checking
	now      atomic.Pointer[state]
}

// A state is what is in the files. It does not change.
type state struct {
	users map[string]*hash
	keys  map[curve.PublicKey]zmtp.Properties
}

// New returns the Authorizer for o. The error tells what is wrong with the
// options, or with what they name: files that others may write to, lines that are
// not understood, or options that admit nobody.
func New(o *Options) (*Authorizer, error) {
	a := &Authorizer{began: time.Now()}
	if o != nil {
		a.opts = *o
	}
	if a.opts.Passwords == "" && a.opts.Keys == "" && !a.opts.AnyKey && !a.opts.Null {
		return nil, errors.New("auth: the options admit nobody: set Passwords, Keys, AnyKey or Null")
	}
	var err error
	if a.deny, err = parseAddresses("Deny", a.opts.Deny); err != nil {
		return nil, err
	}
	if a.allow, err = parseAddresses("Allow", a.opts.Allow); err != nil {
		return nil, err
	}
	if a.opts.Age == 0 {
		a.opts.Age = time.Second
	}
	a.users.path, a.keys.dir = a.opts.Passwords, a.opts.Keys
	a.now.Store(&state{})
	if err := a.Reload(); err != nil {
		return nil, err
	}
	return a, nil
}

// Reload looks at the files now. After an error, which tells all that is wrong,
// what was right before stays in use, and what is right now is used. A file that
// is gone admits nobody.
func (a *Authorizer) Reload() error {
	a.checking.Lock()
	defer a.checking.Unlock()
	return a.reload()
}

// reload is Reload under checking.
func (a *Authorizer) reload() error {
	err := errors.Join(a.users.refresh(), a.keys.refresh())
	a.now.Store(&state{users: a.users.now, keys: a.keys.now})
	a.checked.Store(int64(time.Since(a.began)))
	return err
}

// current returns what is in the files.
func (a *Authorizer) current() *state {
	if int64(time.Since(a.began))-a.checked.Load() >= int64(max(a.opts.Age, 0)) {
		a.checking.Lock()
		var err error
		if int64(time.Since(a.began))-a.checked.Load() >= int64(max(a.opts.Age, 0)) { // nobody was faster
			err = a.reload()
		}
		a.checking.Unlock()
		if err != nil && a.opts.OnError != nil {
			a.opts.OnError(err)
		}
	}
	return a.now.Load()
}

// Why a peer is refused, for this side only: the peer is told "400".
var (
	errAddress   = errors.New("auth: the peer's address is not admitted (Options.Allow, Options.Deny)")
	errMechanism = errors.New("auth: peers of this mechanism are not admitted (auth.Options)")
	errPassword  = errors.New("auth: unknown user or wrong password")
	errKey       = errors.New("auth: the peer's public key is not in the directory of keys")
)

// Authorize is for Options.Authorize of a socket. A peer that is refused is told
// "400", whatever the reason is; "300", to come again, if ctx ends while others'
// passwords are hashed.
func (a *Authorizer) Authorize(ctx context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
	if !a.admits(r.Address) {
		return nil, errAddress
	}
	switch {
	case r.Mechanism == "NULL" && a.opts.Null:
		return nil, nil
	case r.Mechanism == "PLAIN" && a.opts.Passwords != "" && len(r.Credentials) == 2:
		return a.password(ctx, string(r.Credentials[0]), r.Credentials[1])
	case r.Mechanism == curve.Name && (a.opts.Keys != "" || a.opts.AnyKey) && len(r.Credentials) == 1 && len(r.Credentials[0]) == curve.KeySize:
		return a.key(curve.PublicKey(r.Credentials[0]))
	}
	return nil, errMechanism
}

func (a *Authorizer) admits(address string) bool {
	ip := ipOf(address)
	return !a.deny.has(ip) && (len(a.opts.Allow) == 0 || a.allow.has(ip))
}

func (a *Authorizer) password(ctx context.Context, user string, password []byte) (zmtp.Properties, error) {
	known := a.current().users
	h, ok := known[user]
	if !ok {
		h = decoy(known) // so that the time does not tell who is known
	}
	right, err := h.matches(ctx, password)
	switch {
	case err != nil:
		return nil, fmt.Errorf("auth: the password was not checked in time: %w: %w", err, &zmtp.RejectedError{Reason: "300"})
	case !ok || !right:
		return nil, errPassword
	}
	return zmtp.Properties{zmtp.UserID: user}, nil
}

func (a *Authorizer) key(key curve.PublicKey) (zmtp.Properties, error) {
	// A public key is no secret: looking it up need not take the same time.
	if p, ok := a.current().keys[key]; ok {
		return p, nil
	}
	if a.opts.AnyKey {
		return zmtp.Properties{zmtp.UserID: key.String()}, nil
	}
	return nil, errKey
}

// ipOf returns the address without its port; the zero Addr if it has none.
func ipOf(address string) netip.Addr {
	if ap, err := netip.ParseAddrPort(address); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}
