package msgcore_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// Each device moves messages between sockets of its pattern, with the options that
// it was given, until it is closed.
func TestDevices(t *testing.T) {
	options := func() *msgcore.Options { return &msgcore.Options{MaxMessage: 100} }
	for name, c := range map[string]struct {
		device      *msgcore.Proxy
		front, back msgcore.Type
		from, to    msgcore.Type
	}{
		"queue":     {msgcore.NewQueue(options(), nil), msgcore.Router, msgcore.Dealer, msgcore.Req, msgcore.Rep},
		"forwarder": {msgcore.NewForwarder(options(), nil), msgcore.XSub, msgcore.XPub, msgcore.Pub, msgcore.Sub},
		"streamer":  {msgcore.NewStreamer(options(), nil), msgcore.Pull, msgcore.Push, msgcore.Push, msgcore.Pull},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.device
			require.Equal(t, c.front, p.Frontend.Type())
			require.Equal(t, c.back, p.Backend.Type())
			front, err := p.Frontend.Bind(ctx30(t), "tcp://127.0.0.1:*")
			require.NoError(t, err)
			back, err := p.Backend.Bind(ctx30(t), "inproc://"+t.Name())
			require.NoError(t, err)
			ended := make(chan error, 1)
			go func() { ended <- p.Run(context.Background()) }()

			from, to := msgcore.New(c.from, nil), msgcore.New(c.to, nil)
			defer from.Close()
			defer to.Close()
			require.NoError(t, to.Connect(back))
			require.NoError(t, from.Connect(front))
			if c.to == msgcore.Sub {
				require.NoError(t, to.Subscribe(""))
				require.NoError(t, from.WaitSubscribers(ctx30(t), 1))
			}
			require.NoError(t, from.Send(ctx30(t), []byte("through")))
			require.Equal(t, "through", recvText(t, to))
			if c.to == msgcore.Rep {
				require.NoError(t, to.Send(ctx30(t), []byte("back")))
				require.Equal(t, "back", recvText(t, from))
				require.EqualValues(t, 1, p.Stats().ToFrontend)
			}
			require.Positive(t, p.Stats().ToBackend+p.Stats().ToFrontend)
			require.ErrorIs(t, p.Frontend.Send(ctx30(t), make([]byte, 101)), msgcore.ErrMessageTooBig, "the options are in force")
			require.NoError(t, p.Close())
			require.ErrorIs(t, <-ended, net.ErrClosed)
		})
	}
	require.NoError(t, (&msgcore.Proxy{}).Close())
}

func ExampleNewStreamer() {
	ctx := context.Background()
	p := msgcore.NewStreamer(nil, nil)
	in, err := p.Frontend.Bind(ctx, "tcp://127.0.0.1:*")
	if err != nil {
		log.Fatal(err)
	}
	out, err := p.Backend.Bind(ctx, "inproc://example-streamer")
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()

	source, worker := msgcore.NewPush(nil), msgcore.NewPull(nil)
	defer source.Close()
	defer worker.Close()
	if err := worker.Connect(out); err != nil {
		log.Fatal(err)
	}
	if err := source.Connect(in); err != nil {
		log.Fatal(err)
	}
	if err := source.Send(ctx, []byte("work")); err != nil {
		log.Fatal(err)
	}
	m, err := worker.Recv(ctx)
	fmt.Println(string(m.Bytes()), err)
	fmt.Println(p.Stats().ToBackend, p.Close())
	<-ended
	// Output:
	// work <nil>
	// 1 <nil>
}
