package msgcore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
	_ "github.com/solomq/solomq/transport/pgm"
)

const (
	pgmGroup  = "239.192.1.1:5555"
	pgmGroup6 = "[ff12::77]:5555"
	pgmQueue  = 20 // messages that a publisher has taken and not yet sent, at most
)

// multicast are the options of both ends.
func multicast() transport.Options {
	return transport.Options{MulticastRate: 100_000, MulticastRecovery: 10 * time.Second}
}

// pgmOpen opens a socket of h at the group.
func pgmOpen(t testing.TB, h host, scheme string, typ msgcore.Type, opts *msgcore.Options) *msgcore.Socket {
	t.Helper()
	if opts == nil {
		opts = &msgcore.Options{}
	}
	if opts.Transport.MulticastRate == 0 {
		opts.Transport = multicast()
	}
	if typ == msgcore.Pub || typ == msgcore.XPub { // Send waits, so that what it has taken is almost all out
		opts.Pub.NoDrop, opts.SendHWM = true, pgmQueue
	}
	s := msgcore.New(typ, opts)
	t.Cleanup(func() { s.Close() })
	if typ == msgcore.Sub {
		require.NoError(t, s.Subscribe(""))
	}
	group := pgmGroup
	if strings.Contains(h.ip, ":") {
		group = pgmGroup6
	}
	h.do(t, func() {
		require.NoError(t, s.Connect(scheme+"://"+h.ip+";"+group))
	})
	return s
}

// pgmMessage is message i of a stream: a number, and up to 100 KB in two more
// frames.
func pgmMessage(i int) [][]byte {
	n := (i * 7919) % 1000
	if i%100 == 99 {
		n = 100_000 - i
	}
	body := make([]byte, n)
	for k := range body {
		body[k] = byte(i + k)
	}
	return [][]byte{fmt.Appendf(nil, "m%06d", i), body[:n/3], body[n/3:]}
}

// sendStream sends messages from to to-1.
func sendStream(t testing.TB, s *msgcore.Socket, from, to int) {
	for i := from; i < to; i++ {
		require.NoError(t, s.Send(t.Context(), pgmMessage(i)...))
	}
}

// recvStream receives them, in order and complete.
func recvStream(t testing.TB, s *msgcore.Socket, from, to int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	for i := from; i < to; i++ {
		m, err := s.Recv(ctx)
		require.NoError(t, err, "message %d; %+v", i, s.Stats())
		require.Equal(t, pgmMessage(i), m.Frames)
		m.Release()
	}
}
