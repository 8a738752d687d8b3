// The measuring program for go-zeromq/zmq4, ZeroMQ in Go. Package bench tells how
// it is called.
//
// It has no round trips of several peers: a REQ of v0.17.0 that has more than one
// connection cannot go on to the next when one fails, and its REP has no turns.
package main

import (
	"context"
	"strings"

	"github.com/go-zeromq/zmq4"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

func main() {
	bench.Main(map[string]func(*bench.Args) error{
		"pull":    pull,
		"push":    push,
		"pushn":   pushN,
		"inthr":   inprocThroughput,
		"rep":     rep,
		"req":     req,
		"inlat":   inprocRoundTrips,
		"pub":     pub,
		"sub":     sub,
		"base":    base,
		"idlesrv": idleServer,
		"idlecli": idleClients,
	})
}

var ctx = context.Background()

func bound(s zmq4.Socket, a *bench.Args) (zmq4.Socket, error) {
	address := a.Address
	if rest, tcp := strings.CutSuffix(address, ":*"); tcp {
		address = rest + ":0"
	}
	if err := s.Listen(address); err != nil {
		return nil, err
	}
	if strings.HasPrefix(address, "tcp:") {
		address = "tcp://" + s.Addr().String()
	}
	bench.Ready(address)
	return s, nil
}

func connected(s zmq4.Socket, a *bench.Args) (zmq4.Socket, error) {
	return s, s.Dial(a.Address)
}

func receive(s zmq4.Socket, c *bench.Counter) error {
	for {
		if _, err := s.Recv(); err != nil {
			return err
		}
		c.Add(1)
	}
}

func pull(a *bench.Args) error {
	s, err := bound(zmq4.NewPull(ctx), a)
	if err != nil {
		return err
	}
	meter := bench.NewMeter(a, 1)
	for everyone, met := bench.NewEveryone(a.N), false; !met; meter.Early(1) {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		met = everyone.Met(m.Bytes())
	}
	return receive(s, meter.Counter(0))
}

func push(a *bench.Args) error {
	s, err := connected(zmq4.NewPush(ctx), a)
	for body := make([]byte, a.Size); err == nil; {
		err = s.Send(zmq4.NewMsg(body))
	}
	return err
}

func pushN(a *bench.Args) (err error) {
	sockets, bodies := make([]zmq4.Socket, a.N), make([][]byte, a.N)
	for i := range sockets {
		bodies[i] = bench.SignedBody(a, i)
		if sockets[i], err = connected(zmq4.NewPush(ctx), a); err != nil {
			return err
		}
	}
	for {
		for i, s := range sockets {
			if err := s.Send(zmq4.NewMsg(bodies[i])); err != nil {
				return err
			}
		}
	}
}

func inprocThroughput(a *bench.Args) error {
	s, err := bound(zmq4.NewPull(ctx), a)
	if err != nil {
		return err
	}
	go func() { bench.Fail(push(a)) }()
	return receive(s, bench.NewMeter(a, 1).Counter(0))
}

func answer(s zmq4.Socket) error {
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		if err := s.Send(m); err != nil {
			return err
		}
	}
}

func rep(a *bench.Args) error {
	s, err := bound(zmq4.NewRep(ctx), a)
	if err != nil {
		return err
	}
	return answer(s)
}

func req(a *bench.Args) error {
	s, err := connected(zmq4.NewReq(ctx), a)
	if err != nil {
		return err
	}
	body := make([]byte, a.Size)
	return bench.RoundTrips(a, func() error {
		if err := s.Send(zmq4.NewMsg(body)); err != nil {
			return err
		}
		_, err := s.Recv()
		return err
	})
}

func inprocRoundTrips(a *bench.Args) error {
	s, err := bound(zmq4.NewRep(ctx), a)
	if err != nil {
		return err
	}
	go func() { bench.Fail(answer(s)) }()
	return req(a)
}

func pub(a *bench.Args) error {
	s, err := bound(zmq4.NewPub(ctx), a)
	for body := make([]byte, a.Size); err == nil; {
		err = s.Send(zmq4.NewMsg(body))
	}
	return err
}

func sub(a *bench.Args) error {
	meter := bench.NewMeter(a, a.N)
	for i := range a.N {
		s, err := connected(zmq4.NewSub(ctx), a)
		if err != nil {
			return err
		}
		if err := s.SetOption(zmq4.OptionSubscribe, ""); err != nil {
			return err
		}
		go func() { bench.Fail(receive(s, meter.Counter(i))) }()
	}
	return bench.Sleep()
}

func base(a *bench.Args) error {
	s, err := bound(zmq4.NewPull(ctx), a)
	if err != nil {
		return err
	}
	defer s.Close()
	return bench.Sleep()
}

func idleServer(a *bench.Args) error {
	s, err := bound(zmq4.NewRouter(ctx), a)
	if err != nil {
		return err
	}
	for range a.N {
		if _, err := s.Recv(); err != nil {
			return err
		}
	}
	bench.Note("idle")
	return bench.Sleep()
}

func idleClients(a *bench.Args) (err error) {
	body := make([]byte, a.Size)
	sockets := make([]zmq4.Socket, a.N)
	for i := range sockets {
		if sockets[i], err = connected(zmq4.NewDealer(ctx), a); err != nil {
			return err
		}
		if err := sockets[i].Send(zmq4.NewMsg(body)); err != nil {
			return err
		}
	}
	return bench.Sleep()
}
