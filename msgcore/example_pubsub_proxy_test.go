package msgcore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// Pub-sub proxy: publishers and subscribers meet at one place, and do not have to
// know each other. Subscriptions travel through it, so that publishers send what
// somebody wants, and nothing else.
func Example_pubSubProxy() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	xsub, xpub := msgcore.NewXSub(nil), msgcore.NewXPub(nil)
	defer xsub.Close()
	defer xpub.Close()
	publishersAt, err := xsub.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	subscribersAt, err := xpub.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	proxy := &msgcore.Proxy{Frontend: xsub, Backend: xpub}
	go proxy.Run(ctx)

	sub := msgcore.NewSub(nil)
	defer sub.Close()
	check(sub.Connect(subscribersAt))
	check(sub.Subscribe("weather."))
	for _, city := range []string{"oslo", "rome"} {
		pub := msgcore.NewPub(nil)
		defer pub.Close()
		check(pub.Connect(publishersAt))
		check(pub.WaitSubscribers(ctx, 1))
		check(pub.Send(ctx, []byte("sports."+city), []byte("a draw")))
		check(pub.Send(ctx, []byte("weather."+city), []byte("rain")))
		m, err := sub.Recv(ctx)
		check(err)
		fmt.Printf("%s: %s\n", m.Frames[0], m.Frames[1])
	}
	// Output:
	// weather.oslo: rain
	// weather.rome: rain
}
