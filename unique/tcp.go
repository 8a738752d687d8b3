package unique

import (
	"context"
	"errors"
	"fmt"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// reasonOption is why a primary is on tcp that was told to.
const reasonOption = "Options.TCP"

// listen opens the control endpoint of a new primary and returns what its record says of it: on ipc, or, where that is
// not to be had, on loopback tcp.
func (i *Instance) listen(ctx context.Context, t *tenure) (port, record, error) {
	why := t.noSocket
	if i.opts.Admit != nil && i.site.deep() {
		return nil, record{}, fmt.Errorf("unique: %s is too long for sockets that other users could reach: choose a shorter Options.Dir", i.site.dir)
	}
	if i.opts.Listener != nil {
		return i.listenPassed()
	}
	if !i.opts.TCP {
		if why == nil {
			port, endpoint, err := i.listenIPC(ctx)
			if err == nil || ctx.Err() != nil {
				return port, record{Endpoint: endpoint}, err
			}
			why = err
		}
		if i.opts.Admit != nil {
			return nil, record{}, why // on tcp only this user has the key
		}
		debugf("tcp instead of ipc: %v", why)
	}
	port, r, err := i.listenTCP(ctx, t)
	if err != nil {
		return nil, record{}, errors.Join(why, err)
	}
	r.Reason = reasonOption
	if !i.opts.TCP {
		r.Reason = fmt.Sprintf("no ipc: %.1000v", why)
	}
	return port, r, nil
}

// listenIPC: a predecessor that hands over listens on until we have published, so there are two names for the socket.
func (i *Instance) listenIPC(ctx context.Context) (port, string, error) {
	var tried []error
	for _, path := range i.site.controlPaths() {
		port, endpoint, err := listenLocal(ctx, ipcPrefix+path, i.opts.MaxRequest, i.site.trust())
		if err == nil {
			if err = i.site.shareSocket(endpoint); err != nil {
				_ = port.close() // nobody would reach it
			}
		}
		if err == nil || ctx.Err() != nil {
			return port, endpoint, err
		}
		tried = append(tried, err)
	}
	return nil, "", errors.Join(tried...)
}

func (i *Instance) listenTCP(ctx context.Context, t *tenure) (port, record, error) {
	keys, err := newTCPKeys(i.site)
	if err != nil {
		return nil, record{}, err
	}
	var tried []error
	for _, addr := range loopbacks {
		port, endpoint, err := listenRouter(ctx, "tcp://"+addr, i.opts.MaxRequest, keys)
		if err != nil {
			tried = append(tried, err)
			continue
		}
		i.keys = keys
		t.mu.Lock()
		t.keep = func() error { return keys.keep(i.site) }
		t.mu.Unlock()
		return port, record{Endpoint: endpoint, ServerKey: keys.public, ClientKey: i.site.clientKeyPath()}, nil
	}
	return nil, record{}, errors.Join(tried...)
}

// onTCP reports whether the primary is on tcp.
func (i *Instance) onTCP() bool {
	if i.role == Primary {
		return i.keys != nil
	}
	r, err := i.site.readRecord()
	return err == nil && r.onTCP()
}

// tcpOptions secure a channel on tcp.
func (i *Instance) tcpOptions() *msgcore.Options {
	if i.role == Primary {
		return &msgcore.Options{Mechanism: i.keys.mechanism(), Authorize: i.keys.authorize}
	}
	return &msgcore.Options{Mechanism: lateClient{i.site}}
}

type authorizer = func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error)

// bothAuthorize asks ours, and then the other.
func bothAuthorize(ours, other authorizer) authorizer {
	if ours == nil || other == nil {
		if ours == nil {
			return other
		}
		return ours
	}
	return func(ctx context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
		if _, err := ours(ctx, r); err != nil {
			return nil, err
		}
		return other(ctx, r)
	}
}
