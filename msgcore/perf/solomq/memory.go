package main

import (
	"runtime/debug"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

func base(a *bench.Args) error {
	s, err := bound(msgcore.Pull, a)
	if err != nil {
		return err
	}
	defer s.Close()
	return bench.Sleep()
}

// idleServer says "idle" when each of N peers has sent its one message. With
// -collect it first does what the runtime does by itself within a few minutes of
// idleness: it collects, and returns to the system what is free.
func idleServer(a *bench.Args) error {
	s, err := bound(msgcore.Router, a)
	if err != nil {
		return err
	}
	for range a.N {
		if _, err := s.Recv(ctx); err != nil {
			return err
		}
	}
	if a.Flag("collect", "no") != "no" {
		debug.FreeOSMemory()
	}
	bench.Note("idle")
	return bench.Sleep()
}

func idleClients(a *bench.Args) error {
	send, err := newSender(a, 0)
	if err != nil {
		return err
	}
	sockets := make([]*msgcore.Socket, a.N)
	for i := range sockets {
		if sockets[i], err = connected(msgcore.Dealer, a); err != nil {
			return err
		}
		if err := send(sockets[i]); err != nil {
			return err
		}
	}
	return bench.Sleep()
}
