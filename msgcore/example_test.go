package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// check ends an example that went wrong.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// connect binds one socket, on an endpoint of the system's choice, and connects
// the other one to it.
func connect(bind, dial *msgcore.Socket) {
	endpoint, err := bind.Bind(context.Background(), "tcp://127.0.0.1:*")
	check(err)
	check(dial.Connect(endpoint))
}

// A server that answers each request, and a client.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	rep := msgcore.NewRep(nil)
	defer rep.Close()
	endpoint, err := rep.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	go func() {
		for m, err := range rep.Messages(ctx) {
			if err != nil {
				return // closed
			}
			check(rep.Send(ctx, []byte("hello, "), m.Bytes()))
		}
	}()

	req := msgcore.NewReq(nil)
	defer req.Close()
	check(req.Connect(endpoint))
	reply, err := req.Request(ctx, []byte("world"))
	check(err)
	fmt.Printf("%s\n", reply.Bytes())
	// Output: hello, world
}

// What the endpoint says, and nothing else, moves a program from goroutines to
// processes to hosts.
func Example_endpoints() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(dir)

	program := func(endpoint string) {
		pull := msgcore.NewPull(nil)
		defer pull.Close()
		bound, err := pull.Bind(ctx, endpoint)
		check(err)

		push := msgcore.NewPush(nil)
		defer push.Close()
		check(push.Connect(bound))
		check(push.Send(ctx, []byte("the same")))

		m, err := pull.Recv(ctx)
		check(err)
		fmt.Printf("%s\n", m.Bytes())
	}
	program("inproc://work")
	program("ipc://" + filepath.Join(dir, "work"))
	program("tcp://127.0.0.1:*")
	// Output:
	// the same
	// the same
	// the same
}

// Any number of requests may be under way at once; each finds its own reply.
func ExampleSocket_Request() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	rep, dealer := msgcore.NewRep(nil), msgcore.NewDealer(nil)
	defer rep.Close()
	defer dealer.Close()
	connect(rep, dealer)
	go func() {
		for m, err := range rep.Messages(ctx) {
			if err != nil {
				return
			}
			check(m.Reply(ctx, m.Frames[0], []byte("squared is"), fmt.Append(nil, len(m.Frames[0])*len(m.Frames[0]))))
		}
	}()

	replies := make([]string, 3)
	var all sync.WaitGroup
	for i := range replies {
		all.Add(1)
		go func() {
			defer all.Done()
			m, err := dealer.Request(ctx, []byte("***")[:i+1])
			check(err)
			replies[i] = fmt.Sprintf("%s", m.Frames)
		}()
	}
	all.Wait()
	for _, r := range replies {
		fmt.Println(r)
	}
	// Output:
	// [* squared is 1]
	// [** squared is 4]
	// [*** squared is 9]
}

// Requests are answered in the order that suits the server.
func ExampleMsg_Reply() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	rep, dealer := msgcore.NewRep(nil), msgcore.NewDealer(nil)
	defer rep.Close()
	defer dealer.Close()
	connect(rep, dealer)
	for _, text := range []string{"slow", "quick"} {
		check(dealer.Send(ctx, nil, []byte(text))) // an empty frame goes ahead of a request
	}

	slow, err := rep.Recv(ctx)
	check(err)
	quick, err := rep.Recv(ctx)
	check(err)
	check(quick.Reply(ctx, []byte("quick is done")))
	check(slow.Reply(ctx, []byte("slow is done")))

	for range 2 {
		m, err := dealer.Recv(ctx)
		check(err)
		fmt.Printf("%s\n", m.Frames[1])
	}
	// Output:
	// quick is done
	// slow is done
}

// Many small messages cost least in batches.
func ExampleSocket_RecvBatch() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	push, pull := msgcore.NewPush(nil), msgcore.NewPull(nil)
	defer push.Close()
	defer pull.Close()
	connect(pull, push)

	out := make([]msgcore.Msg, 100)
	for i := range out {
		out[i].Frames = [][]byte{{byte(i)}}
	}
	n, err := push.SendBatch(ctx, out)
	check(err)
	fmt.Println("sent", n)

	sum, received := 0, 0
	batch := make([]msgcore.Msg, 64)
	for received < len(out) {
		n, err := pull.RecvBatch(ctx, batch)
		check(err)
		for _, m := range batch[:n] {
			sum += int(m.Frames[0][0])
		}
		msgcore.ReleaseBatch(batch[:n])
		received += n
	}
	fmt.Println("received", received, "with the sum", sum)
	// Output:
	// sent 100
	// received 100 with the sum 4950
}

// What would wait is no error of TrySend.
func ExampleSocket_TrySend() {
	push := msgcore.NewPush(&msgcore.Options{SendHWM: 2, Linger: msgcore.Discard})
	defer push.Close()
	check(push.Connect("inproc://nobody-yet"))
	for range 3 {
		sent, err := push.TrySend(msgcore.Msg{Frames: [][]byte{[]byte("job")}})
		fmt.Println(sent, err)
	}
	// Output:
	// true <nil>
	// true <nil>
	// false <nil>
}

// A context ends the call and nothing else.
func ExampleSocket_Recv() {
	push, pull := msgcore.NewPush(nil), msgcore.NewPull(nil)
	defer push.Close()
	defer pull.Close()
	connect(pull, push)

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := pull.Recv(ctx)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	check(push.Send(context.Background(), []byte("later")))
	m, err := pull.Recv(context.Background())
	fmt.Printf("%s %v\n", m.Bytes(), err)
	// Output:
	// true
	// later <nil>
}
