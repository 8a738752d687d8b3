package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// A queue shares out the requests of any number of clients among any number of
// workers, which come and go without the clients noticing.
func ExampleNewQueue() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	queue := msgcore.NewQueue(nil, nil)
	clientsAt, err := queue.Frontend.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	workersAt, err := queue.Backend.Bind(ctx, "inproc://example-queue")
	check(err)
	ended := make(chan error, 1)
	go func() { ended <- queue.Run(ctx) }()

	worker := msgcore.NewRep(nil)
	defer worker.Close()
	check(worker.Connect(workersAt))
	go func() {
		for m, err := range worker.Messages(ctx) {
			if err != nil {
				return // it is closed
			}
			check(m.Reply(ctx, []byte("done: "+string(m.Bytes()))))
		}
	}()

	client := msgcore.NewReq(nil)
	defer client.Close()
	check(client.Connect(clientsAt))
	for _, job := range []string{"wash", "dry"} {
		m, err := client.Request(ctx, []byte(job))
		check(err)
		fmt.Printf("%s\n", m.Bytes())
	}
	check(queue.Close())
	fmt.Println(queue.Stats().ToBackend, "requests;", "closed:", errors.Is(<-ended, net.ErrClosed))
	// Output:
	// done: wash
	// done: dry
	// 2 requests; closed: true
}

// A forwarder is where publishers and subscribers meet that do not know each
// other. Publishers hear of the subscriptions behind it, and send what is wanted.
func ExampleNewForwarder() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	forwarder := msgcore.NewForwarder(nil, nil)
	publishersAt, err := forwarder.Frontend.Bind(ctx, "inproc://example-forwarder")
	check(err)
	subscribersAt, err := forwarder.Backend.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	ended := make(chan error, 1)
	go func() { ended <- forwarder.Run(ctx) }()

	sub, pub := msgcore.NewSub(nil), msgcore.NewPub(nil)
	defer sub.Close()
	defer pub.Close()
	check(sub.Connect(subscribersAt))
	check(sub.Subscribe("weather."))
	check(pub.Connect(publishersAt))
	check(pub.WaitSubscribers(ctx, 1))
	check(pub.Send(ctx, []byte("sports.oslo"), []byte("a draw"))) // nobody wants it
	check(pub.Send(ctx, []byte("weather.oslo"), []byte("rain")))
	m, err := sub.Recv(ctx)
	check(err)
	fmt.Printf("%s: %s\n", m.Frames[0], m.Frames[1])
	check(forwarder.Close())
	fmt.Println(forwarder.Stats().ToBackend, "message;", "closed:", errors.Is(<-ended, net.ErrClosed))
	// Output:
	// weather.oslo: rain
	// 1 message; closed: true
}
