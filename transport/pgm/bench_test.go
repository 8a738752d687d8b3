package pgm_test

import (
	"testing"

	"github.com/solomq/solomq/transport/pgm"
)

// What the machines take for a packet that is not lost.
func BenchmarkSend(b *testing.B) {
	s := pgm.NewTestSender(1, 1<<12, func([]byte) {})
	data := make([]byte, 1428)
	for b.Loop() {
		s.Send(0, data)
	}
}

func BenchmarkReceive(b *testing.B) {
	s := pgm.NewTestSender(1, 1<<12, func([]byte) {})
	r := pgm.NewTestReceiver(1, 1<<12, func([]byte) {}, func(pgm.TestDelivery) {})
	data := make([]byte, 1428)
	for b.Loop() {
		r.Input(0, s.Send(0, data), "10.0.0.1")
	}
}
