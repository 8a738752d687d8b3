package main

import (
	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

func pull(a *bench.Args) error {
	s, err := bound(msgcore.Pull, a)
	if err != nil {
		return err
	}
	meter := bench.NewMeter(a, 1)
	for everyone, met := bench.NewEveryone(a.N), false; !met; meter.Early(1) {
		m, err := s.Recv(ctx)
		if err != nil {
			return err
		}
		met = everyone.Met(m.Frames[0])
		m.Release()
	}
	return receive(s, a, meter.Counter(0))
}

func push(a *bench.Args) error {
	send, err := newSender(a, 0)
	if err != nil {
		return err
	}
	s, err := connected(msgcore.Push, a)
	for err == nil {
		err = send(s)
	}
	return err
}

// pushN sends through N sockets in turn, one message each.
func pushN(a *bench.Args) (err error) {
	sockets, send := make([]*msgcore.Socket, a.N), make([]sender, a.N)
	for i := range sockets {
		if send[i], err = newSender(a, i); err != nil {
			return err
		}
		if sockets[i], err = connected(msgcore.Push, a); err != nil {
			return err
		}
	}
	for {
		for i, s := range sockets {
			if err := send[i](s); err != nil {
				return err
			}
		}
	}
}

func inprocThroughput(a *bench.Args) error {
	s, err := bound(msgcore.Pull, a)
	if err != nil {
		return err
	}
	go func() { bench.Fail(push(a)) }()
	return receive(s, a, bench.NewMeter(a, 1).Counter(0))
}
