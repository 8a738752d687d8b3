package interop_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/solomq/solomq/msgcore"
)

const patience = 30 * time.Second

// messages returns n messages of up to most frames, of 0 B to 1 MiB log-uniformly,
// and at most budget bytes together.
func messages(n, most, budget int, seed uint64) [][][]byte {
	r := rand.New(rand.NewPCG(seed, 0))
	pool := make([]byte, 2<<20)
	for i := range pool {
		pool[i] = byte(r.Uint32())
	}
	var all [][][]byte
	for range n {
		var m [][]byte
		for range 1 + r.IntN(most) {
			size := r.IntN(1 << r.IntN(21))
			if budget -= size; budget < 0 {
				size %= 256
			}
			at := r.IntN(len(pool) - size)
			m = append(m, pool[at:at+size])
		}
		all = append(all, m)
	}
	return all
}

// stream is what one test sends: some tens of messages, or hundreds.
func stream(most int) [][][]byte {
	if os.Getenv("SOLOMQ_TEST") == "full" {
		return messages(400, most, 64<<20, 2)
	}
	return messages(40, most, 2<<20, 1)
}

// passes sends all and wants them back in order: one by one, or as fast as they go.
func passes(ctx context.Context, all [][][]byte, oneByOne bool, send func([][]byte) error, recv func() ([][]byte, error)) error {
	sent := make(chan error, len(all))
	sendNext := func(i int) error {
		err := send(all[i])
		if err != nil {
			err = fmt.Errorf("sending message %d: %w", i, err)
		}
		return err
	}
	if !oneByOne {
		go func() {
			var err error
			for i := 0; i < len(all) && err == nil; i++ {
				err = sendNext(i)
			}
			sent <- err
		}()
	}
	for i, want := range all {
		if oneByOne {
			if err := sendNext(i); err != nil {
				return err
			}
		}
		got, err := recv()
		if err != nil {
			return fmt.Errorf("receiving message %d: %w", i, err)
		}
		if !equal(want, got) {
			return fmt.Errorf("message %d: got frames of %d bytes, want %d and the same ones", i, sizes(got), sizes(want))
		}
	}
	if oneByOne {
		return nil
	}
	return <-sent
}

func equal(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func sizes(frames [][]byte) (n []int) {
	for _, f := range frames {
		n = append(n, len(f))
	}
	return n
}

// echo answers every message of a REP or SERVER until the socket is closed.
func echo(ctx context.Context, s *msgcore.Socket) error {
	for m, err := range s.Messages(ctx) {
		if err == nil {
			err = m.Reply(ctx, m.Frames...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
