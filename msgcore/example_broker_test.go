package msgcore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// work answers requests until rep is closed.
func work(rep *msgcore.Socket) {
	ctx := context.Background()
	for m, err := range rep.Messages(ctx) {
		if err != nil {
			return
		}
		check(rep.Send(ctx, []byte("hello, "), m.Bytes()))
	}
}

// Request-reply broker: clients and services know one address each, and any
// number of both come and go. The DEALER hands requests to the services in turn;
// the ROUTER finds the way back.
func Example_requestReplyBroker() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	frontend, backend := msgcore.NewRouter(nil), msgcore.NewDealer(nil)
	defer frontend.Close()
	defer backend.Close()
	clientsAt, err := frontend.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	servicesAt, err := backend.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	broker := &msgcore.Proxy{Frontend: frontend, Backend: backend}
	go broker.Run(ctx)

	for range 3 {
		rep := msgcore.NewRep(nil)
		defer rep.Close()
		check(rep.Connect(servicesAt))
		go work(rep)
	}
	for _, name := range []string{"Ada", "Grace", "Edsger"} {
		req := msgcore.NewReq(nil)
		defer req.Close()
		check(req.Connect(clientsAt))
		reply, err := req.Request(ctx, []byte(name))
		check(err)
		fmt.Printf("%s\n", reply.Frames)
	}
	// Output:
	// [hello,  Ada]
	// [hello,  Grace]
	// [hello,  Edsger]
}
