package main

import (
	"fmt"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

// The parts of a proxy's work: who sends, the proxy's two ends, who receives.
type proxyWork struct{ sender, front, back, receiver msgcore.Type }

func proxyKind(a *bench.Args) (w proxyWork, err error) {
	switch kind := a.Flag("kind", ""); kind {
	case "ROUTER-DEALER":
		return proxyWork{msgcore.Dealer, msgcore.Router, msgcore.Dealer, msgcore.Dealer}, nil
	case "XSUB-XPUB":
		return proxyWork{msgcore.XPub, msgcore.XSub, msgcore.XPub, msgcore.Sub}, nil
	default:
		return w, fmt.Errorf("-kind is %q, want ROUTER-DEALER or XSUB-XPUB", kind)
	}
}

func proxySocket(t msgcore.Type) *msgcore.Socket {
	return msgcore.New(t, &msgcore.Options{Pub: msgcore.PubOptions{NoDrop: t == msgcore.XPub}})
}

func proxy(a *bench.Args) error {
	w, err := proxyKind(a)
	if err != nil {
		return err
	}
	front, back := msgcore.New(w.front, nil), proxySocket(w.back)
	in, err := front.Bind(ctx, a.Address)
	if err != nil {
		return err
	}
	out, err := back.Bind(ctx, a.Address)
	if err != nil {
		return err
	}
	bench.Ready(in, out)
	p := msgcore.Proxy{Frontend: front, Backend: back}
	return p.Run(ctx)
}

// proxying sends. An XPUB waits until it knows of a subscriber.
func proxying(a *bench.Args) error {
	w, err := proxyKind(a)
	if err != nil {
		return err
	}
	send, err := newSender(a, 0)
	if err != nil {
		return err
	}
	s, err := connectedSocket(proxySocket(w.sender), a)
	if err == nil && w.sender == msgcore.XPub {
		err = s.WaitSubscribers(ctx, 1)
	}
	for err == nil {
		err = send(s)
	}
	return err
}

func proxied(a *bench.Args) error {
	w, err := proxyKind(a)
	if err != nil {
		return err
	}
	s := msgcore.New(w.receiver, nil)
	if w.receiver == msgcore.Sub {
		if err := s.Subscribe(""); err != nil {
			return err
		}
	}
	if _, err := connectedSocket(s, a); err != nil {
		return err
	}
	return receive(s, a, bench.NewMeter(a, 1).Counter(0))
}
