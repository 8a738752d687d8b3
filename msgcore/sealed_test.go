package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// maskMechanism is a security mechanism in little: every frame travels masked,
// with a running number, so that a plain, lost, repeated or reordered one shows.
type maskMechanism struct{}

func (maskMechanism) Name() string { return "MASK" }
func (maskMechanism) Server() bool { return false }

func (maskMechanism) Handshake(_ context.Context, c zmtp.HandshakeConn, local zmtp.Properties) (zmtp.Session, error) {
	err := c.WriteCommand(zmtp.Command{Name: zmtp.CommandReady, Data: zmtp.AppendProperties(nil, local)})
	if err != nil {
		return nil, err
	}
	cmd, err := c.ReadCommand()
	if err != nil {
		return nil, err
	}
	peer, err := zmtp.ParseProperties(cmd.Data)
	if err != nil {
		return nil, err
	}
	return &maskSession{peer: peer}, c.Check(peer)
}

type maskSession struct {
	peer    zmtp.Properties
	in, out atomic.Uint32
}

func (s *maskSession) Peer() zmtp.Properties { return s.peer }

func (s *maskSession) Seal(dst []byte, f zmtp.Frame) ([]byte, error) {
	var flags byte
	if f.More {
		flags = 1
	}
	if f.Command {
		flags |= 2
	}
	dst = zmtp.AppendHeader(dst, 0, len(f.Body)+2)
	dst = append(dst, byte(s.out.Add(1)), flags)
	for _, c := range f.Body {
		dst = append(dst, c^0x5A)
	}
	return dst, nil
}

func (s *maskSession) Open(body []byte) (zmtp.Frame, error) {
	if len(body) < 2 || body[0] != byte(s.in.Add(1)) {
		return zmtp.Frame{}, errors.New("a frame is missing")
	}
	f := zmtp.Frame{More: body[1]&1 != 0, Command: body[1]&2 != 0, Body: body[2:]}
	for i := range f.Body {
		f.Body[i] ^= 0x5A
	}
	return f, nil
}

func TestSealedConnection(t *testing.T) {
	opts := &msgcore.Options{Mechanism: maskMechanism{}}
	for _, scheme := range []string{"tcp://127.0.0.1:*", "ipc://*"} {
		t.Run(scheme[:3], func(t *testing.T) {
			ctx := t.Context()
			router, dealer := msgcore.NewRouter(opts), msgcore.NewDealer(opts)
			pair(t, router, dealer, scheme)
			go func() {
				for m, err := range router.Messages(ctx) {
					if err != nil || router.SendMsg(ctx, m) != nil {
						return
					}
				}
			}()
			sizes := []int{0, 1, 255, 256, 8192, 8193, 65536, 100_000, 1 << 20, 7}
			rounds := 5
			if msgcore.RaceEnabled { // which looks at each byte that is masked
				rounds = 2
			}
			sent := make(chan error, 1)
			go func() {
				for r := range rounds {
					for i, n := range sizes {
						if err := dealer.Send(ctx, []byte(fmt.Sprint(r)), pattern(i, n), pattern(r, n/3)); err != nil {
							sent <- err
							return
						}
					}
				}
				sent <- nil
			}()
			for r := range rounds {
				for i, n := range sizes {
					m, err := dealer.Recv(limited(t))
					require.NoError(t, err)
					require.Equal(t, [][]byte{[]byte(fmt.Sprint(r)), pattern(i, n), pattern(r, n/3)}, m.Frames)
					m.Release()
				}
			}
			require.NoError(t, <-sent)
		})
		t.Run(scheme[:3]+" subscriptions", func(t *testing.T) {
			ctx := ctx30(t)
			pub, sub := msgcore.NewPub(opts), msgcore.NewSub(opts)
			require.NoError(t, sub.Subscribe("yes"))
			pair(t, pub, sub, scheme)
			require.NoError(t, pub.WaitSubscribers(ctx, 1))
			require.NoError(t, pub.Send(ctx, []byte("no")))
			require.NoError(t, pub.Send(ctx, []byte("yes!")))
			m, err := sub.Recv(ctx)
			require.NoError(t, err)
			require.Equal(t, "yes!", string(m.Bytes()))
		})
	}
}

// pattern returns n bytes that depend on seed.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seed*31 + i*7 + i>>8)
	}
	return b
}
