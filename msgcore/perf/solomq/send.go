package main

import (
	"fmt"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

// copyMax is the largest message that is sent by Send. Above, a program that
// cares gives its buffer away.
const copyMax = 4 << 10

// A sender sends one message, or one batch.
type sender func(s *msgcore.Socket) error

// newSender returns the sender that -send asks for, with number i.
func newSender(a *bench.Args, i int) (sender, error) {
	how := "copy"
	if a.Size > copyMax {
		how = "ref"
	}
	body := bench.SignedBody(a, i)
	switch how = a.Flag("send", how); how {
	case "copy":
		return func(s *msgcore.Socket) error { return s.Send(ctx, body) }, nil
	case "ref":
		frames := [][]byte{body}
		return func(s *msgcore.Socket) error { return s.SendMsg(ctx, msgcore.Msg{Frames: frames}) }, nil
	case "fresh":
		return func(s *msgcore.Socket) error {
			return s.SendMsg(ctx, msgcore.Msg{Frames: [][]byte{bench.SignedBody(a, i)}})
		}, nil
	case "batch":
		msgs := make([]msgcore.Msg, batch)
		for i := range msgs {
			msgs[i].Frames = [][]byte{body}
		}
		return func(s *msgcore.Socket) error {
			_, err := s.SendBatch(ctx, msgs)
			return err
		}, nil
	default:
		return nil, fmt.Errorf("-send is %q, want copy, ref, fresh or batch", how)
	}
}
