package msgcore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/solomq/solomq/msgcore"
)

// cacheLast passes what sub receives on to xpub, and the last value of a topic
// again to whoever subscribes to it.
func cacheLast(ctx context.Context, sub, xpub *msgcore.Socket) {
	var last sync.Map // of messages, by topic
	go func() {
		for m, err := range sub.Messages(ctx) {
			if err != nil {
				return
			}
			last.Store(string(m.Frames[0]), m.Clone())
			check(xpub.Send(ctx, m.Frames...))
		}
	}()
	for m, err := range xpub.Messages(ctx) {
		if err != nil {
			return
		}
		if topic, ok := strings.CutPrefix(string(m.Bytes()), "\x01"); ok { // not "\x00", the end of a subscription
			if v, ok := last.Load(topic); ok {
				check(xpub.Send(ctx, v.(msgcore.Msg).Frames...))
			}
		}
	}
}

// Last value cache: who subscribes late is told at once how things are, instead of
// when they change.
func Example_lastValueCache() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	sub := msgcore.NewSub(nil)
	defer sub.Close()
	check(sub.Subscribe(""))
	// Verbose tells of every subscription, not of the first to each topic alone.
	xpub := msgcore.NewXPub(&msgcore.Options{Pub: msgcore.PubOptions{Verbose: true}})
	defer xpub.Close()
	go cacheLast(ctx, sub, xpub)
	subscribersAt, err := xpub.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	subscribe := func(topic string) *msgcore.Socket {
		s := msgcore.NewSub(nil)
		check(s.Subscribe(topic))
		check(s.Connect(subscribersAt))
		return s
	}

	pub := msgcore.NewPub(nil)
	defer pub.Close()
	connect(sub, pub)
	check(pub.WaitSubscribers(ctx, 1))
	early := subscribe("oslo")
	defer early.Close()
	check(xpub.WaitSubscribers(ctx, 1))
	check(pub.Send(ctx, []byte("oslo"), []byte("rain")))
	m, err := early.Recv(ctx)
	check(err)
	fmt.Printf("early: %s\n", m.Frames)

	late := subscribe("oslo") // nothing is published any more
	defer late.Close()
	m, err = late.Recv(ctx)
	check(err)
	fmt.Printf("late: %s\n", m.Frames)
	// Output:
	// early: [oslo rain]
	// late: [oslo rain]
}
