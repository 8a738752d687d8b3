package transport_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/inproc"
)

func ExampleParseEndpoint() {
	e, err := transport.ParseEndpoint("tcp://127.0.0.1:5555")
	fmt.Println(e.Scheme, e.Addr, err)

	_, err = transport.ParseEndpoint("127.0.0.1:5555")
	fmt.Println(err)
	// Output:
	// tcp 127.0.0.1:5555 <nil>
	// transport: endpoint "127.0.0.1:5555" has no "://"; write it like tcp://127.0.0.1:5555
}

// A Transport can be used without msgcore: it makes plain connections.
func Example() {
	ctx := context.Background()
	var tr transport.Transport = inproc.Transport{}

	ln, err := tr.Listen(ctx, "greeter", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := tr.Dial(ctx, ln.Addr().String(), nil)
		if err != nil {
			log.Print(err)
			return
		}
		defer c.Close()
		io.WriteString(c, "hello")
	}()
	c, err := ln.Accept()
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	text, err := io.ReadAll(c)
	fmt.Println(string(text), err)
	// Output: hello <nil>
}
