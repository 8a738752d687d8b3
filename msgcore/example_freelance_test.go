package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// askAnyone sends a request to every server and returns the first reply. There is
// no broker that could fail; what is asked for must do no harm when it is done
// more than once.
func askAnyone(ctx context.Context, request []byte, endpoints ...string) (msgcore.Msg, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the others need not answer any more
	type answer struct {
		reply msgcore.Msg
		err   error
	}
	answers := make(chan answer, len(endpoints))
	for _, endpoint := range endpoints {
		go func() {
			req := msgcore.NewReq(&msgcore.Options{Linger: msgcore.Discard})
			defer req.Close()
			err := req.Connect(endpoint)
			var reply msgcore.Msg
			if err == nil {
				reply, err = req.Request(ctx, request)
			}
			answers <- answer{reply, err}
		}()
	}
	var failures []error
	for range endpoints {
		a := <-answers
		if a.err == nil {
			return a.reply, nil
		}
		failures = append(failures, a.err)
	}
	return msgcore.Msg{}, errors.Join(failures...)
}

// Freelance: clients talk to several servers, of which one that is alive is
// enough.
func Example_freelance() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	dead, alive := msgcore.NewRep(nil), msgcore.NewRep(nil)
	deadAt, err := dead.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	check(dead.Close())
	defer alive.Close()
	aliveAt, err := alive.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	go work(alive) // see the request-reply broker

	m, err := askAnyone(ctx, []byte("world"), deadAt, aliveAt)
	check(err)
	fmt.Printf("%s\n", m.Bytes())
	// Output: hello, world
}
