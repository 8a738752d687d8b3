package main

import (
	"fmt"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

const batch = 64 // messages of RecvBatch and SendBatch

// receive receives on s in the way that -recv says, for ever.
func receive(s *msgcore.Socket, a *bench.Args, c *bench.Counter) error {
	switch how := a.Flag("recv", "owned"); how {
	case "owned":
		return receiveOwned(s, c)
	case "released":
		return receiveReleased(s, c)
	case "batch":
		return receiveBatch(s, c)
	default:
		return fmt.Errorf("-recv is %q, want owned, released or batch", how)
	}
}

func receiveOwned(s *msgcore.Socket, c *bench.Counter) error {
	for {
		if _, err := s.Recv(ctx); err != nil {
			return err
		}
		c.Add(1)
	}
}

func receiveReleased(s *msgcore.Socket, c *bench.Counter) error {
	for {
		m, err := s.Recv(ctx)
		if err != nil {
			return err
		}
		m.Release()
		c.Add(1)
	}
}

func receiveBatch(s *msgcore.Socket, c *bench.Counter) error {
	msgs := make([]msgcore.Msg, batch)
	for {
		n, err := s.RecvBatch(ctx, msgs)
		if err != nil {
			return err
		}
		msgcore.ReleaseBatch(msgs[:n])
		c.Add(n)
	}
}
