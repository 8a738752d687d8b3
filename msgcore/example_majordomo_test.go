package msgcore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// A majordomo knows which workers are idle, by the service that they offer.
type majordomo struct{ services sync.Map }

func (d *majordomo) idle(service []byte) chan []byte {
	c, _ := d.services.LoadOrStore(string(service), make(chan []byte, 1000))
	return c.(chan []byte)
}

// run takes requests, of a service and a body, and replies, of the service's name
// in front of what its client is to get.
func (d *majordomo) run(ctx context.Context, clients, workers *msgcore.Socket) {
	go func() {
		for m, err := range workers.Messages(ctx) {
			if err != nil {
				return
			}
			if len(m.Frames) > 2 { // not only the hello
				check(clients.Send(ctx, m.Frames[2:]...))
			}
			d.idle(m.Frames[1]) <- m.Frames[0]
		}
	}()
	for m, err := range clients.Messages(ctx) {
		if err != nil {
			return
		}
		n := len(m.Frames)
		if n < 4 { // id, envelope, service, body
			continue
		}
		go func() { // a service without workers holds up nobody else
			select {
			case id := <-d.idle(m.Frames[n-2]):
				check(workers.Send(ctx, append([][]byte{id}, m.Frames...)...))
			case <-ctx.Done():
			}
		}()
	}
}

// Majordomo in small: clients ask for a service by its name.
func Example_majordomo() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	clients, workers := msgcore.NewRouter(nil), msgcore.NewRouter(nil)
	defer clients.Close()
	defer workers.Close()
	go new(majordomo).run(ctx, clients, workers)

	for service, f := range map[string]func(string) string{"upper": strings.ToUpper, "trim": strings.TrimSpace} {
		s := msgcore.NewDealer(&msgcore.Options{Hello: []byte(service)})
		defer s.Close()
		connect(workers, s)
		go func() {
			for m, err := range s.Messages(ctx) {
				if err != nil {
					return
				}
				n := len(m.Frames)
				reply := append([][]byte{[]byte(service)}, m.Frames[:n-2]...) // with the client's envelope
				check(s.Send(ctx, append(reply, []byte(f(string(m.Frames[n-1]))))...))
			}
		}()
	}

	req := msgcore.NewReq(nil)
	defer req.Close()
	connect(clients, req)
	for _, service := range []string{"upper", "trim"} {
		m, err := req.Request(ctx, []byte(service), []byte(" a word "))
		check(err)
		fmt.Printf("%s: %q\n", service, m.Bytes())
	}
	// Output:
	// upper: " A WORD "
	// trim: "a word"
}
