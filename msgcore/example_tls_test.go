package msgcore_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// A socket over TLS: package crypto/tls makes the listener and the connection, and
// hands them over. In the same way a server gets the socket that systemd holds for
// it, by net.FileListener(os.NewFile(3, "")).
func ExampleSocket_BindListener() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	server, client := tlsConfigs()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	rep := msgcore.NewRep(nil)
	defer rep.Close() // and with it l
	_, err = rep.BindListener(tls.NewListener(l, server))
	check(err)
	go func() {
		m, err := rep.Recv(ctx)
		check(err)
		check(rep.Send(ctx, []byte("hello, "+string(m.Bytes()))))
	}()

	c, err := tls.Dial("tcp", l.Addr().String(), client)
	check(err)
	req := msgcore.NewReq(nil)
	defer req.Close() // and with it c
	_, err = req.ConnectConn(c)
	check(err)
	m, err := req.Request(ctx, []byte("world"))
	check(err)
	fmt.Println(string(m.Bytes()))
	// Output: hello, world
}
