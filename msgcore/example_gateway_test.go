package msgcore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// Gateway: one connection brings a publisher's messages into the process, where
// any number of subscribers get them on inproc, without a copy over the network
// for each. They use the publisher's own program: only the endpoint differs.
func Example_gateway() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	pub := msgcore.NewPub(nil) // somewhere else
	defer pub.Close()
	remote, err := pub.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)

	outside, inside := msgcore.NewXSub(nil), msgcore.NewXPub(nil)
	defer outside.Close()
	defer inside.Close()
	check(outside.Connect(remote))
	local, err := inside.Bind(ctx, "inproc://*")
	check(err)
	gateway := &msgcore.Proxy{Frontend: outside, Backend: inside}
	go gateway.Run(ctx)

	topics := []string{"oslo", "rome", "kyiv"}
	subs := make([]*msgcore.Socket, len(topics))
	for i, topic := range topics {
		subs[i] = msgcore.NewSub(nil)
		defer subs[i].Close()
		check(subs[i].Subscribe(topic))
		check(subs[i].Connect(local))
	}
	check(pub.WaitSubscribers(ctx, len(topics))) // they have come through the gateway
	for _, topic := range topics {
		check(pub.Send(ctx, []byte(topic), []byte("rain")))
	}
	for _, sub := range subs {
		m, err := sub.Recv(ctx)
		check(err)
		fmt.Printf("%s\n", m.Frames)
	}
	// Output:
	// [oslo rain]
	// [rome rain]
	// [kyiv rain]
}
