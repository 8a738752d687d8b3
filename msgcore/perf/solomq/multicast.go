package main

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
	"github.com/solomq/solomq/transport"
	_ "github.com/solomq/solomq/transport/pgm"
)

func multicast(a *bench.Args) (*msgcore.Options, error) {
	rate, err := strconv.Atoi(a.Flag("rate", "0"))
	if err != nil {
		return nil, err
	}
	ms, err := strconv.Atoi(a.Flag("recovery", "0"))
	if err != nil {
		return nil, err
	}
	buffer, err := strconv.Atoi(a.Flag("buffer", "0"))
	if err != nil {
		return nil, err
	}
	return &msgcore.Options{Transport: transport.Options{
		MulticastRate: rate, MulticastRecovery: time.Duration(ms) * time.Millisecond, RecvBuffer: buffer,
	}}, nil
}

// multicastPub numbers its messages; it waits while its queue is full.
func multicastPub(a *bench.Args) error {
	opts, err := multicast(a)
	if err != nil {
		return err
	}
	opts.Pub.NoDrop = true
	s, err := connectedSocket(msgcore.NewPub(opts), a)
	body := make([]byte, a.Size)
	for number := uint64(0); err == nil; number++ {
		binary.LittleEndian.PutUint64(body, number)
		err = s.Send(ctx, body)
	}
	return err
}

// multicastSub counts the numbers that are missing, too.
func multicastSub(a *bench.Args) error {
	opts, err := multicast(a)
	if err != nil {
		return err
	}
	s := msgcore.NewSub(opts)
	if err := s.Subscribe(""); err != nil {
		return err
	}
	if _, err := connectedSocket(s, a); err != nil {
		return err
	}
	bench.Ready(a.Address)
	meter := bench.NewMeter(a, 1)
	msgs := make([]msgcore.Msg, 1)
	if a.Flag("recv", "released") == "batch" {
		msgs = make([]msgcore.Msg, batch)
	}
	next, begun := uint64(0), false
	for {
		n, err := s.RecvBatch(ctx, msgs)
		if err != nil {
			return err
		}
		for i := range msgs[:n] {
			number := binary.LittleEndian.Uint64(msgs[i].Bytes())
			if number != next && begun {
				meter.Lost(int(number - next))
			}
			next, begun = number+1, true
		}
		msgcore.ReleaseBatch(msgs[:n])
		meter.Counter(0).Add(n)
	}
}
