// The measuring program for NATS. Its server is part of the receiving or answering
// process, whose own client is connected to it inside the process; the other
// process connects by tcp. Package bench tells how it is called.
//
// NATS knows no high-water mark: a receiver that is too slow is cut off, or the
// client drops for it. Its limits are raised so far that neither happens here.
package main

import (
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

func main() {
	bench.Main(map[string]func(*bench.Args) error{
		"pull":    pull,
		"push":    push,
		"pushn":   pushN,
		"rep":     rep,
		"req":     req,
		"pub":     push,
		"sub":     sub,
		"base":    base,
		"idlesrv": idleServer,
		"idlecli": idleClients,
	})
}

const subject = "m"

// serve starts a server on a free port.
func serve() (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		NoLog: true, NoSigs: true,
		MaxPending: 4 << 30, MaxPayload: 2 << 20,
	})
	if err != nil {
		return nil, err
	}
	s.Start()
	s.ReadyForConnections(10 * time.Second)
	return s, nil
}

// ready tells where s listens.
func ready(s *server.Server) { bench.Ready(s.ClientURL()) }

func inside(s *server.Server) (*nats.Conn, error) {
	return nats.Connect("", nats.InProcessServer(s))
}

// receive counts the messages that c gets, once all senders have been heard of.
func receive(c *nats.Conn, meter *bench.Meter, i, senders int) error {
	everyone, met, counter := bench.NewEveryone(senders), false, meter.Counter(i)
	s, err := c.Subscribe(subject, func(m *nats.Msg) {
		if !met {
			met = everyone.Met(m.Data)
			meter.Early(1)
			return
		}
		counter.Add(1)
	})
	if err != nil {
		return err
	}
	if err := s.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	return c.Flush()
}

func pull(a *bench.Args) error { return receiveOn(a, 1, a.N) }

func sub(a *bench.Args) error { return receiveOn(a, a.N, 1) }

// receiveOn receives on n connections what so many senders publish.
func receiveOn(a *bench.Args, n, senders int) error {
	s, err := serve()
	if err != nil {
		return err
	}
	meter := bench.NewMeter(a, n)
	for i := range n {
		c, err := inside(s)
		if err != nil {
			return err
		}
		if err := receive(c, meter, i, senders); err != nil {
			return err
		}
	}
	ready(s)
	return bench.Sleep()
}

func push(a *bench.Args) error {
	c, err := nats.Connect(a.Address)
	for body := make([]byte, a.Size); err == nil; {
		err = c.Publish(subject, body)
	}
	return err
}

func pushN(a *bench.Args) (err error) {
	conns, bodies := make([]*nats.Conn, a.N), make([][]byte, a.N)
	for i := range conns {
		bodies[i] = bench.SignedBody(a, i)
		if conns[i], err = nats.Connect(a.Address); err != nil {
			return err
		}
	}
	for {
		for i, c := range conns {
			if err := c.Publish(subject, bodies[i]); err != nil {
				return err
			}
		}
	}
}

func rep(*bench.Args) error {
	s, err := serve()
	if err != nil {
		return err
	}
	c, err := inside(s)
	if err != nil {
		return err
	}
	if _, err := c.Subscribe(subject, func(m *nats.Msg) {
		if err := m.Respond(m.Data); err != nil {
			bench.Fail(err)
		}
	}); err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return err
	}
	ready(s)
	return bench.Sleep()
}

func req(a *bench.Args) error {
	c, err := nats.Connect(a.Address)
	if err != nil {
		return err
	}
	body := make([]byte, a.Size)
	return bench.RoundTrips(a, func() error {
		_, err := c.Request(subject, body, 30*time.Second)
		return err
	})
}

func base(*bench.Args) error {
	s, err := serve()
	if err != nil {
		return err
	}
	ready(s)
	return bench.Sleep()
}

func idleServer(a *bench.Args) error {
	s, err := serve()
	if err != nil {
		return err
	}
	c, err := inside(s)
	if err != nil {
		return err
	}
	all := make(chan struct{})
	n := 0
	if _, err := c.Subscribe(subject+".*", func(*nats.Msg) {
		if n++; n == a.N {
			close(all)
		}
	}); err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return err
	}
	ready(s)
	<-all
	bench.Note("idle")
	return bench.Sleep()
}

// idleClients have one subscription each, as whoever keeps a connection has.
func idleClients(a *bench.Args) error {
	body := make([]byte, a.Size)
	conns := make([]*nats.Conn, a.N)
	for i := range conns {
		c, err := nats.Connect(a.Address)
		if err != nil {
			return err
		}
		if _, err := c.Subscribe("own."+strconv.Itoa(i), func(*nats.Msg) {}); err != nil {
			return err
		}
		if err := c.Publish(subject+"."+strconv.Itoa(i), body); err != nil {
			return err
		}
		if err := c.Flush(); err != nil {
			return err
		}
		conns[i] = c
	}
	return bench.Sleep()
}
