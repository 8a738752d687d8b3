package main

import (
	"strconv"
	"strings"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

// rep binds N sockets, each answered by a goroutine of its own.
func rep(a *bench.Args) error {
	endpoints := make([]string, a.N)
	for i := range endpoints {
		where := a.Address
		if i > 0 && !strings.HasPrefix(where, "tcp:") {
			where += "-" + strconv.Itoa(i)
		}
		opts, err := options(a, true)
		if err != nil {
			return err
		}
		s := msgcore.NewRep(opts)
		if endpoints[i], err = s.Bind(ctx, where); err != nil {
			return err
		}
		go func() { bench.Fail(answer(s)) }()
	}
	bench.Ready(endpoints...)
	return bench.Sleep()
}

func answer(s *msgcore.Socket) error {
	for {
		m, err := s.Recv(ctx)
		if err != nil {
			return err
		}
		if err := s.Send(ctx, m.Frames...); err != nil {
			return err
		}
		m.Release()
	}
}

// req connects N sockets to every address and uses them in turn, so that one
// request is under way at a time; with -busy, one for each socket.
func req(a *bench.Args) error {
	sockets := make([]*msgcore.Socket, a.N)
	for i := range sockets {
		var err error
		if sockets[i], err = connected(msgcore.Req, a); err != nil {
			return err
		}
	}
	body := make([]byte, a.Size)
	trip := func(i int) error {
		if err := sockets[i].Send(ctx, body); err != nil {
			return err
		}
		m, err := sockets[i].Recv(ctx)
		m.Release()
		return err
	}
	if a.Flag("busy", "no") != "no" {
		return bench.RoundTripsAtOnce(a, a.N, trip)
	}
	next := -1
	return bench.RoundTrips(a, func() error {
		next = (next + 1) % a.N
		return trip(next)
	})
}

func inprocRoundTrips(a *bench.Args) error {
	s, err := bound(msgcore.Rep, a)
	if err != nil {
		return err
	}
	go func() { bench.Fail(answer(s)) }()
	return req(a)
}
