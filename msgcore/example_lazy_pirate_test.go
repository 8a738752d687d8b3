package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// ask sends a request again when no reply has come within the next of some
// patiences. The socket is not closed in between: a Request that is given up
// takes no other's reply.
func ask(ctx context.Context, req *msgcore.Socket, request string, patiences ...time.Duration) (string, error) {
	for _, patience := range patiences {
		try, cancel := context.WithTimeout(ctx, patience)
		reply, err := req.Request(try, []byte(request))
		cancel()
		switch {
		case err == nil:
			return string(reply.Bytes()), nil
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return "", err
		}
		fmt.Println("no reply, asking again")
	}
	return "", errors.New("the server seems to be away")
}

// Lazy pirate: reliability is the client's, who asks again. What it asks for must
// do no harm when it is done twice.
func Example_lazyPirate() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, rep := msgcore.NewReq(nil), msgcore.NewRep(nil)
	defer req.Close()
	defer rep.Close()
	connect(rep, req)
	go func() {
		n := 0
		for m, err := range rep.Messages(ctx) {
			if err != nil {
				return
			}
			if n++; n > 2 { // it has a bad day
				check(m.Reply(ctx, []byte("re: "), m.Bytes()))
			}
		}
	}()
	fmt.Println(ask(ctx, req, "hello", 20*time.Millisecond, 40*time.Millisecond, 30*time.Second))
	// Output:
	// no reply, asking again
	// no reply, asking again
	// re: hello <nil>
}
