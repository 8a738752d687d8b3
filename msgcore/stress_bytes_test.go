package msgcore_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// The same as TestEverythingAtOnce for the types whose sockets do not talk ZMTP:
// 16 goroutines do everything that there is to do on one STREAM or DGRAM, and
// Close ends those of them that wait for good.
func TestEverythingAtOnceWithoutZMTP(t *testing.T) {
	const goroutines = 16
	for _, c := range []struct {
		typ    msgcore.Type
		scheme string
	}{
		{msgcore.Stream, "tcp://127.0.0.1:*"},
		{msgcore.Stream, "inproc://*"},
		{msgcore.Dgram, "udp://127.0.0.1:*"},
	} {
		t.Run(c.typ.String()+" over "+c.scheme[:3], func(t *testing.T) {
			t.Parallel()
			s, other := msgcore.New(c.typ, &msgcore.Options{Linger: msgcore.Discard}), msgcore.New(c.typ, &msgcore.Options{Linger: msgcore.Discard})
			defer s.Close()
			defer other.Close()
			endpoint := bindTo(t, s, c.scheme)
			to := []byte(strings.TrimPrefix(bindTo(t, other, c.scheme), "udp://"))
			if c.typ == msgcore.Stream {
				require.NoError(t, other.Connect(endpoint))
				m, err := s.Recv(limited(t))
				require.NoError(t, err)
				to = m.Clone().Frames[0]
			}
			each := func(f func(g int)) {
				var all sync.WaitGroup
				for g := range goroutines {
					all.Go(func() { f(g) })
				}
				all.Wait()
			}
			each(func(g int) {
				r := rand.New(rand.NewPCG(uint64(g), 1))
				for range scaled(60, 3000) {
					ctx, cancel := briefly(r)
					var err error
					switch r.IntN(4) {
					case 0:
						err = s.Send(ctx, to, []byte("hello"))
					case 1:
						_, _, err = other.TryRecv()
					default:
						err = anything(ctx, s, c.scheme, endpoint, r)
					}
					cancel()
					var oe *msgcore.OpError
					if err != nil && !errors.As(err, &oe) {
						t.Errorf("%T %v", err, err)
					}
				}
			})
			var closed sync.WaitGroup
			closed.Go(func() {
				each(func(int) {
					for {
						m, err := s.Recv(context.Background())
						if err != nil {
							if !errors.Is(err, net.ErrClosed) {
								t.Error(err)
							}
							return
						}
						m.Release()
					}
				})
			})
			require.NoError(t, s.Close())
			closed.Wait()
		})
	}
}
