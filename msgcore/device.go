package msgcore

import "errors"

// NewQueue returns a Proxy that shares out requests: a ROUTER for clients as
// Frontend and a DEALER for workers as Backend, with the given options, of which
// nil means defaults. Bind or connect both sockets, then call Run; Close ends it.
func NewQueue(frontend, backend *Options) *Proxy {
	return &Proxy{Frontend: NewRouter(frontend), Backend: NewDealer(backend)}
}

// NewForwarder returns a Proxy that passes on publications, and subscriptions the
// other way: an XSUB for publishers as Frontend and an XPUB for subscribers as
// Backend. It is used as one of NewQueue.
func NewForwarder(frontend, backend *Options) *Proxy {
	return &Proxy{Frontend: NewXSub(frontend), Backend: NewXPub(backend)}
}

// NewStreamer returns a Proxy that passes on work, one way: a PULL for those who
// send it as Frontend and a PUSH for those who do it as Backend. It is used as one
// of NewQueue.
func NewStreamer(frontend, backend *Options) *Proxy {
	return &Proxy{Frontend: NewPull(frontend), Backend: NewPush(backend)}
}

// Close closes Frontend and Backend, in this order, and so ends Run, whose error
// Is net.ErrClosed then. Messages that the sockets have taken are still sent,
// within Options.Linger; one that Run holds in this moment may be dropped: end its
// context and wait for it first where that matters. Capture, which others may
// use, stays open.
func (p *Proxy) Close() error {
	var errs []error
	for _, s := range []*Socket{p.Frontend, p.Backend} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}
