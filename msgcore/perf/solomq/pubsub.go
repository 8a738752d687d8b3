package main

import (
	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

// pub drops what a subscriber has no room for; with -nodrop it waits for it, and
// starts when all N have subscribed.
func pub(a *bench.Args) error {
	send, err := newSender(a, 0)
	if err != nil {
		return err
	}
	nodrop := a.Flag("nodrop", "no") != "no"
	s, err := boundSocket(msgcore.NewPub(&msgcore.Options{Pub: msgcore.PubOptions{NoDrop: nodrop}}), a)
	if err == nil && nodrop {
		err = s.WaitSubscribers(ctx, a.N)
	}
	for err == nil {
		err = send(s)
	}
	return err
}

// sub subscribes N sockets to everything, each received by a goroutine of its own.
func sub(a *bench.Args) error {
	meter := bench.NewMeter(a, a.N)
	for i := range a.N {
		s := msgcore.NewSub(nil)
		if err := s.Subscribe(""); err != nil {
			return err
		}
		if _, err := connectedSocket(s, a); err != nil {
			return err
		}
		go func() { bench.Fail(receive(s, a, meter.Counter(i))) }()
	}
	return bench.Sleep()
}
