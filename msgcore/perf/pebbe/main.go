// The measuring program for pebbe/zmq4, which calls libzmq through cgo. Package
// bench tells how it is called.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/pebbe/zmq4"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		major, minor, patch := zmq4.Version()
		fmt.Printf("on libzmq %d.%d.%d\n", major, minor, patch)
		return
	}
	zmq4.SetMaxSockets(4096)
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

func bound(t zmq4.Type, address string) (*zmq4.Socket, string, error) {
	s, err := zmq4.NewSocket(t)
	if err != nil {
		return nil, "", err
	}
	if err := s.Bind(address); err != nil {
		return nil, "", err
	}
	endpoint, err := s.GetLastEndpoint()
	return s, endpoint, err
}

func boundReady(t zmq4.Type, a *bench.Args) (*zmq4.Socket, error) {
	s, endpoint, err := bound(t, a.Address)
	if err == nil {
		bench.Ready(endpoint)
	}
	return s, err
}

func connected(t zmq4.Type, a *bench.Args) (*zmq4.Socket, error) {
	s, err := zmq4.NewSocket(t)
	if err != nil {
		return nil, err
	}
	for _, endpoint := range a.Addresses() {
		if err := s.Connect(endpoint); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func receive(s *zmq4.Socket, c *bench.Counter) error {
	for {
		if _, err := s.RecvBytes(0); err != nil {
			return err
		}
		c.Add(1)
	}
}

func pull(a *bench.Args) error {
	s, err := boundReady(zmq4.PULL, a)
	if err != nil {
		return err
	}
	meter := bench.NewMeter(a, 1)
	for everyone, met := bench.NewEveryone(a.N), false; !met; meter.Early(1) {
		m, err := s.RecvBytes(0)
		if err != nil {
			return err
		}
		met = everyone.Met(m)
	}
	return receive(s, meter.Counter(0))
}

func push(a *bench.Args) error {
	s, err := connected(zmq4.PUSH, a)
	for body := make([]byte, a.Size); err == nil; {
		_, err = s.SendBytes(body, 0)
	}
	return err
}

func pushN(a *bench.Args) (err error) {
	sockets, bodies := make([]*zmq4.Socket, a.N), make([][]byte, a.N)
	for i := range sockets {
		bodies[i] = bench.SignedBody(a, i)
		if sockets[i], err = connected(zmq4.PUSH, a); err != nil {
			return err
		}
	}
	for {
		for i, s := range sockets {
			if _, err := s.SendBytes(bodies[i], 0); err != nil {
				return err
			}
		}
	}
}

func inprocThroughput(a *bench.Args) error {
	s, err := boundReady(zmq4.PULL, a)
	if err != nil {
		return err
	}
	go func() { bench.Fail(push(a)) }()
	return receive(s, bench.NewMeter(a, 1).Counter(0))
}

func answer(s *zmq4.Socket) error {
	for {
		m, err := s.RecvBytes(0)
		if err != nil {
			return err
		}
		if _, err := s.SendBytes(m, 0); err != nil {
			return err
		}
	}
}

func rep(a *bench.Args) error {
	endpoints := make([]string, a.N)
	for i := range endpoints {
		where := a.Address
		if i > 0 && !strings.HasPrefix(where, "tcp:") {
			where += "-" + strconv.Itoa(i)
		}
		s, endpoint, err := bound(zmq4.REP, where)
		if err != nil {
			return err
		}
		endpoints[i] = endpoint
		go func() { bench.Fail(answer(s)) }()
	}
	bench.Ready(endpoints...)
	return bench.Sleep()
}

func req(a *bench.Args) (err error) {
	sockets := make([]*zmq4.Socket, a.N)
	for i := range sockets {
		if sockets[i], err = connected(zmq4.REQ, a); err != nil {
			return err
		}
	}
	body := make([]byte, a.Size)
	trip := func(i int) error {
		if _, err := sockets[i].SendBytes(body, 0); err != nil {
			return err
		}
		_, err := sockets[i].RecvBytes(0)
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
	s, err := boundReady(zmq4.REP, a)
	if err != nil {
		return err
	}
	go func() { bench.Fail(answer(s)) }()
	return req(a)
}

// pub drops what a subscriber has no room for; with -nodrop it waits for it, and
// starts when all N have subscribed.
func pub(a *bench.Args) error {
	var s *zmq4.Socket
	var err error
	if a.Flag("nodrop", "no") == "no" {
		s, err = boundReady(zmq4.PUB, a)
	} else {
		s, err = boundWaiting(a)
	}
	for body := make([]byte, a.Size); err == nil; {
		_, err = s.SendBytes(body, 0)
	}
	return err
}

func boundWaiting(a *bench.Args) (*zmq4.Socket, error) {
	s, err := zmq4.NewSocket(zmq4.XPUB)
	if err != nil {
		return nil, err
	}
	if err := s.SetXpubNodrop(true); err != nil {
		return nil, err
	}
	if err := s.SetXpubVerbose(1); err != nil {
		return nil, err
	}
	if err := s.Bind(a.Address); err != nil {
		return nil, err
	}
	endpoint, err := s.GetLastEndpoint()
	if err != nil {
		return nil, err
	}
	bench.Ready(endpoint)
	for range a.N {
		if _, err := s.RecvBytes(0); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func sub(a *bench.Args) error {
	meter := bench.NewMeter(a, a.N)
	for i := range a.N {
		s, err := connected(zmq4.SUB, a)
		if err != nil {
			return err
		}
		if err := s.SetSubscribe(""); err != nil {
			return err
		}
		go func() { bench.Fail(receive(s, meter.Counter(i))) }()
	}
	return bench.Sleep()
}

func base(a *bench.Args) error {
	s, err := boundReady(zmq4.PULL, a)
	if err != nil {
		return err
	}
	defer s.Close()
	return bench.Sleep()
}

func idleServer(a *bench.Args) error {
	s, err := boundReady(zmq4.ROUTER, a)
	if err != nil {
		return err
	}
	for range a.N {
		if _, err := s.RecvMessageBytes(0); err != nil {
			return err
		}
	}
	bench.Note("idle")
	return bench.Sleep()
}

func idleClients(a *bench.Args) error {
	body := make([]byte, a.Size)
	sockets := make([]*zmq4.Socket, a.N) // else the collector closes them
	for i := range sockets {
		s, err := connected(zmq4.DEALER, a)
		if err != nil {
			return err
		}
		if _, err := s.SendBytes(body, 0); err != nil {
			return err
		}
		sockets[i] = s
	}
	err := bench.Sleep()
	_ = sockets[0]
	return err
}
