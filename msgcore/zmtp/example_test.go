package zmtp_test

import (
	"context"
	"fmt"
	"net"

	"github.com/solomq/solomq/msgcore/zmtp"
)

func ExampleHandshake() {
	ours, theirs := net.Pipe()
	go func() { // the peer: an echo
		defer theirs.Close()
		peer, err := zmtp.Handshake(context.Background(), theirs, &zmtp.Config{
			Properties: zmtp.Properties{zmtp.SocketType: "ROUTER"},
		})
		if err != nil {
			return
		}
		if m, err := peer.ReadMessage(); err == nil {
			peer.WriteMessage(m...)
		}
	}()

	conn, err := zmtp.Handshake(context.Background(), ours, &zmtp.Config{
		Properties: zmtp.Properties{zmtp.SocketType: "DEALER"},
		MaxFrame:   1 << 20,
	})
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	if err := conn.WriteMessage([]byte("hello"), []byte("world")); err != nil {
		panic(err)
	}
	reply, err := conn.ReadMessage()
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s: %s\n", conn.Peer().Get("socket-type"), reply)
	// Output: ROUTER: [hello world]
}
