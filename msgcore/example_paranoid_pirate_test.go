package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// dispatch gives each request to the worker that has been idle the longest.
// Workers that are gone, by the heartbeat's word, are passed over.
func dispatch(ctx context.Context, clients, workers *msgcore.Socket) {
	idle := make(chan []byte, 1000)
	go func() {
		for m, err := range workers.Messages(ctx) { // id, envelope and reply; or id and "ready"
			if err != nil {
				return
			}
			if len(m.Frames) > 2 {
				check(clients.Send(ctx, m.Frames[1:]...))
			}
			idle <- m.Frames[0]
		}
	}()
	for m, err := range clients.Messages(ctx) {
		for err == nil {
			select {
			case id := <-idle:
				err = workers.Send(ctx, append([][]byte{id}, m.Frames...)...)
			case <-ctx.Done():
				return
			}
			if !errors.Is(err, msgcore.ErrUnroutable) {
				break
			}
			err = nil // to the next worker
		}
		if err != nil {
			return
		}
	}
}

// Paranoid pirate: nobody trusts anybody. Workers say hello on each new
// connection, the queue and they watch each other by heartbeats, and clients ask
// again.
func Example_paranoidPirate() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	heartbeat := msgcore.Heartbeat{Interval: time.Second}
	clients := msgcore.NewRouter(nil)
	defer clients.Close()
	gone := make(chan struct{}, 10)
	workers := msgcore.NewRouter(&msgcore.Options{
		Heartbeat: heartbeat,
		Router:    msgcore.RouterOptions{Mandatory: true},
		Monitor: func(e msgcore.Event) {
			if e.Kind == msgcore.Disconnected {
				gone <- struct{}{}
			}
		},
	})
	defer workers.Close()
	workersAt, err := workers.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	go dispatch(ctx, clients, workers)

	worker := func() *msgcore.Socket {
		s := msgcore.NewDealer(&msgcore.Options{Heartbeat: heartbeat, Hello: []byte("ready")})
		check(s.Connect(workersAt))
		check(s.WaitPeers(ctx, 1))
		return s
	}
	check(worker().Close()) // it dies before it has done anything,
	<-gone                  // which the queue notices; else the client would ask again
	good := worker()
	defer good.Close()
	go func() {
		for m, err := range good.Messages(ctx) {
			if err != nil {
				return
			}
			check(good.Send(ctx, m.Frames...)) // an echo, envelope and all
		}
	}()

	req := msgcore.NewReq(nil)
	defer req.Close()
	connect(clients, req)
	for _, text := range []string{"one", "two"} {
		reply, err := ask(ctx, req, text, 30*time.Second)
		fmt.Println(reply, err)
	}
	// Output:
	// one <nil>
	// two <nil>
}
