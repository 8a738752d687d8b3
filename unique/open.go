package unique

import (
	"context"
	"errors"
	"fmt"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
)

// Open returns a socket of type t on the named channel of the application, for
// its own messages: it is bound in the primary and connected in secondaries,
// in the directory of the application and to processes of the same user only.
// The channel is any string but the empty one; o is for the rest of the socket's
// options, nil for the defaults.
//
// The socket belongs to the caller, who closes it; Close of the instance does
// not, but a primary that leaves unbinds it, since the name is the next one's.
// That of a secondary finds the next primary by itself, unless the
// directory is too long for sockets (Location.Deep).
func (i *Instance) Open(ctx context.Context, channel string, t msgcore.Type, o *msgcore.Options) (*msgcore.Socket, error) {
	endpoint, secure, err := i.Endpoint(ctx, channel)
	if err != nil {
		return nil, err
	}
	if o != nil {
		merged := *o
		merged.Transport.Credentials = bothAdmit(o.Transport.Credentials, secure.Transport.Credentials)
		if secure.Mechanism != nil {
			if o.Mechanism != nil {
				return nil, fmt.Errorf("unique: channel %q: Options.Mechanism must be nil on tcp, where the channel has CURVE of its own", channel)
			}
			merged.Mechanism = secure.Mechanism
			merged.Authorize = bothAuthorize(secure.Authorize, o.Authorize)
		}
		secure = &merged
	}
	if err := secure.Validate(t); err != nil {
		return nil, err
	}
	sock := msgcore.New(t, secure)
	if i.role == Primary {
		err = i.channels.bind(ctx, sock, endpoint)
		if err == nil && !i.Alone() {
			err = i.site.shareSocket(endpoint)
		}
	} else {
		err = sock.Connect(endpoint)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("unique: channel %q: %w", channel, err), sock.Close())
	}
	return sock, nil
}

func bothAdmit(a, b func(transport.Cred) error) func(transport.Cred) error {
	if a == nil {
		return b
	}
	return func(c transport.Cred) error {
		if err := b(c); err != nil {
			return err
		}
		return a(c)
	}
}

// Endpoint returns the endpoint of the named channel and the options that
// secure it, for those who make the socket themselves: the primary is to bind
// it, secondaries connect. In a secondary it is ErrNoPrimary if there is none
// any more. Without the options an endpoint on loopback tcp (Options.TCP) would
// be open to every user of the host.
func (i *Instance) Endpoint(ctx context.Context, channel string) (endpoint string, o *msgcore.Options, err error) {
	if err := ctx.Err(); err != nil {
		return "", nil, context.Cause(ctx)
	}
	if channel == "" {
		return "", nil, errors.New("unique: the channel has no name; the primary's own endpoint is in Holder")
	}
	if i.onTCP() {
		return portScheme + "://" + i.site.portPath(channel), i.tcpOptions(), nil
	}
	var path string
	if i.Alone() {
		return "inproc://solomq/" + hashName("alone", fmt.Sprintf("%p", i), channel), &msgcore.Options{}, nil
	}
	if i.role == Primary {
		path = i.site.socketPath(channel)
	} else {
		r, err := i.site.readRecord()
		if err != nil {
			return "", nil, ErrNoPrimary
		}
		path = i.site.channelPath(r, channel)
	}
	admits := i.site.trust().server
	if i.role == Primary {
		admits = i.site.trust().caller
	}
	return "ipc://" + path, &msgcore.Options{Transport: transport.Options{Credentials: admits}}, nil
}
