package msgcore_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/solomq/solomq/msgcore"
)

// A PUSH shares work out among PULL sockets.
func ExampleNewPush() {
	ctx := context.Background()
	push := msgcore.NewPush(nil)
	defer push.Close()
	workers := []*msgcore.Socket{msgcore.NewPull(nil), msgcore.NewPull(nil)}
	for _, w := range workers {
		defer w.Close()
		connect(w, push)
	}
	check(push.WaitPeers(ctx, 2))
	for i := range 4 {
		check(push.Send(ctx, fmt.Append(nil, "job ", i)))
	}
	for range 2 {
		for _, w := range workers {
			m, err := w.Recv(ctx)
			check(err)
			fmt.Printf("a worker has %s\n", m.Bytes())
		}
	}
	// Unordered output:
	// a worker has job 0
	// a worker has job 1
	// a worker has job 2
	// a worker has job 3
}

// A PULL receives from everybody in turn.
func ExampleNewPull() {
	ctx := context.Background()
	push, pull := msgcore.NewPush(nil), msgcore.NewPull(nil)
	defer push.Close()
	defer pull.Close()
	connect(pull, push)
	check(push.Send(ctx, []byte("header"), []byte("body")))
	m, err := pull.Recv(ctx)
	check(err)
	fmt.Printf("%d frames: %s\n", len(m.Frames), m.Frames)
	// Output: 2 frames: [header body]
}

// A PUB sends to all who subscribe to the beginning of a message.
func ExampleNewPub() {
	ctx := context.Background()
	pub, sub := msgcore.NewPub(nil), msgcore.NewSub(nil)
	defer pub.Close()
	defer sub.Close()
	connect(pub, sub)
	check(sub.Subscribe("weather."))
	check(pub.WaitSubscribers(ctx, 1)) // what is sent before it, nobody gets

	check(pub.Send(ctx, []byte("sports.chess"), []byte("a draw")))
	check(pub.Send(ctx, []byte("weather.oslo"), []byte("rain")))
	m, err := sub.Recv(ctx)
	check(err)
	fmt.Printf("%s: %s\n", m.Frames[0], m.Frames[1])
	// Output: weather.oslo: rain
}

// A SUB changes what it wants at any time.
func ExampleNewSub() {
	ctx := context.Background()
	pub, sub := msgcore.NewPub(nil), msgcore.NewSub(nil)
	defer pub.Close()
	defer sub.Close()
	check(sub.Subscribe("a"))
	check(sub.Subscribe("b"))
	connect(pub, sub)
	check(pub.WaitSubscribers(ctx, 2))
	check(sub.Unsubscribe("a"))

	for _, topic := range []string{"a1", "b1", "c1"} {
		check(pub.Send(ctx, []byte(topic)))
	}
	m, err := sub.Recv(ctx)
	check(err)
	fmt.Printf("%s\n", m.Bytes())
	// Output: b1
}

// An XPUB hears who subscribes.
func ExampleNewXPub() {
	ctx := context.Background()
	xpub, sub := msgcore.NewXPub(nil), msgcore.NewSub(nil)
	defer xpub.Close()
	defer sub.Close()
	connect(xpub, sub)
	check(sub.Subscribe("news"))
	m, err := xpub.Recv(ctx)
	check(err)
	fmt.Printf("%d %s\n", m.Bytes()[0], m.Bytes()[1:])
	check(sub.Unsubscribe("news"))
	m, err = xpub.Recv(ctx)
	check(err)
	fmt.Printf("%d %s\n", m.Bytes()[0], m.Bytes()[1:])
	// Output:
	// 1 news
	// 0 news
}

// An XSUB subscribes by messages, and may send others to an XPUB.
func ExampleNewXSub() {
	ctx := context.Background()
	xpub, xsub := msgcore.NewXPub(nil), msgcore.NewXSub(nil)
	defer xpub.Close()
	defer xsub.Close()
	connect(xpub, xsub)
	check(xsub.Send(ctx, []byte("\x01news")))
	check(xpub.WaitSubscribers(ctx, 1))
	check(xpub.Send(ctx, []byte("news"), []byte("of the day")))
	m, err := xsub.Recv(ctx)
	check(err)
	fmt.Printf("%s\n", m.Frames)
	// Output: [news of the day]
}

// Send and Recv of a REQ take turns.
func ExampleNewReq() {
	ctx := context.Background()
	req, rep := msgcore.NewReq(nil), msgcore.NewRep(nil)
	defer req.Close()
	defer rep.Close()
	connect(rep, req)

	check(req.Send(ctx, []byte("ping")))
	fmt.Println(req.Send(ctx, []byte("again")))
	m, err := rep.Recv(ctx)
	check(err)
	check(rep.Send(ctx, []byte("pong to "), m.Bytes()))
	m, err = req.Recv(ctx)
	check(err)
	fmt.Printf("%s\n", m.Bytes())
	// Output:
	// msgcore: send REQ: wrong state for this operation: the last request has no reply yet: Recv it first, or use Request
	// pong to ping
}

// A REP answers the request that it has received.
func ExampleNewRep() {
	ctx := context.Background()
	req, rep := msgcore.NewReq(nil), msgcore.NewRep(nil)
	defer req.Close()
	defer rep.Close()
	connect(rep, req)
	go func() {
		for m, err := range rep.Messages(ctx) {
			if err != nil {
				return
			}
			check(rep.Send(ctx, fmt.Append(nil, len(m.Bytes()), " bytes")))
		}
	}()
	for _, text := range []string{"one", "three"} {
		m, err := req.Request(ctx, []byte(text))
		check(err)
		fmt.Printf("%s\n", m.Bytes())
	}
	// Output:
	// 3 bytes
	// 5 bytes
}

// A DEALER sends without waiting for answers.
func ExampleNewDealer() {
	ctx := context.Background()
	a, b := msgcore.NewDealer(nil), msgcore.NewDealer(nil)
	defer a.Close()
	defer b.Close()
	connect(a, b)
	check(b.Send(ctx, []byte("1")))
	check(b.Send(ctx, []byte("2")))
	for range 2 {
		m, err := a.Recv(ctx)
		check(err)
		check(a.Send(ctx, []byte("got"), m.Bytes()))
	}
	for range 2 {
		m, err := b.Recv(ctx)
		check(err)
		fmt.Printf("%s\n", m.Frames)
	}
	// Output:
	// [got 1]
	// [got 2]
}

// A ROUTER addresses peers by name.
func ExampleNewRouter() {
	ctx := context.Background()
	router := msgcore.NewRouter(&msgcore.Options{Router: msgcore.RouterOptions{Mandatory: true}})
	defer router.Close()
	dealer := msgcore.NewDealer(&msgcore.Options{RoutingID: "alice"})
	defer dealer.Close()
	connect(router, dealer)
	check(router.WaitPeers(ctx, 1))

	check(router.Send(ctx, []byte("alice"), []byte("hello")))
	m, err := dealer.Recv(ctx)
	check(err)
	fmt.Printf("%s\n", m.Bytes())
	fmt.Println(router.Send(ctx, []byte("bob"), []byte("hello")))

	check(dealer.Send(ctx, []byte("hi")))
	m, err = router.Recv(ctx)
	check(err)
	fmt.Printf("%s says %s\n", m.Frames[0], m.Frames[1])
	// Output:
	// hello
	// msgcore: send ROUTER: no route to peer
	// alice says hi
}

// Two PAIR sockets talk to each other and to nobody else.
func ExampleNewPair() {
	ctx := context.Background()
	a, b := msgcore.NewPair(nil), msgcore.NewPair(nil)
	defer a.Close()
	defer b.Close()
	endpoint, err := a.Bind(ctx, "inproc://*")
	check(err)
	check(b.Connect(endpoint))
	check(a.Send(ctx, []byte("there")))
	check(b.Send(ctx, []byte("back")))
	there, err := b.Recv(ctx)
	check(err)
	back, err := a.Recv(ctx)
	check(err)
	fmt.Printf("%s and %s\n", there.Bytes(), back.Bytes())
	// Output: there and back
}

// A SERVER answers each CLIENT, whenever it likes.
func ExampleNewServer() {
	ctx := context.Background()
	server, client := msgcore.NewServer(nil), msgcore.NewClient(nil)
	defer server.Close()
	defer client.Close()
	connect(server, client)
	check(client.Send(ctx, []byte("subscribe me")))
	m, err := server.Recv(ctx)
	check(err)
	check(m.Reply(ctx, []byte("welcome")))
	// Later, by the routing id alone.
	check(server.SendMsg(ctx, msgcore.Msg{RoutingID: m.RoutingID, Frames: [][]byte{[]byte("news")}}))
	for range 2 {
		m, err := client.Recv(ctx)
		check(err)
		fmt.Printf("%s\n", m.Bytes())
	}
	// Output:
	// welcome
	// news
}

// A CLIENT is one of many to a SERVER.
func ExampleNewClient() {
	ctx := context.Background()
	server := msgcore.NewServer(nil)
	defer server.Close()
	endpoint, err := server.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	var clients [2]*msgcore.Socket
	for i := range clients {
		clients[i] = msgcore.NewClient(nil)
		defer clients[i].Close()
		check(clients[i].Connect(endpoint))
		check(clients[i].Send(ctx, fmt.Append(nil, "client ", i)))
	}
	for range clients {
		m, err := server.Recv(ctx)
		check(err)
		check(m.Reply(ctx, append([]byte("hello, "), m.Bytes()...)))
	}
	for _, c := range clients {
		m, err := c.Recv(ctx)
		check(err)
		fmt.Printf("%s\n", m.Bytes())
	}
	// Output:
	// hello, client 0
	// hello, client 1
}

// A RADIO sends to groups.
func ExampleNewRadio() {
	ctx := context.Background()
	radio, dish := msgcore.NewRadio(nil), msgcore.NewDish(nil)
	defer radio.Close()
	defer dish.Close()
	connect(radio, dish)
	check(dish.Join("music"))
	check(radio.WaitSubscribers(ctx, 1))
	check(radio.Send(ctx, []byte("talk"), []byte("an interview")))
	check(radio.Send(ctx, []byte("music"), []byte("a song")))
	m, err := dish.Recv(ctx)
	check(err)
	fmt.Printf("%s: %s\n", m.Frames[0], m.Frames[1])
	// Output: music: a song
}

// A DISH is in the groups that it has joined, and not left.
func ExampleNewDish() {
	ctx := context.Background()
	radio, dish := msgcore.NewRadio(nil), msgcore.NewDish(nil)
	defer radio.Close()
	defer dish.Close()
	check(dish.Join("music"))
	check(dish.Join("talk"))
	check(dish.Leave("music"))
	connect(radio, dish)
	check(radio.WaitSubscribers(ctx, 1))
	check(radio.Send(ctx, []byte("music"), []byte("a song")))
	check(radio.Send(ctx, []byte("talk"), []byte("an interview")))
	m, err := dish.Recv(ctx)
	check(err)
	fmt.Printf("%s\n", m.Frames)
	// Output: [talk an interview]
}

// A SCATTER is a PUSH of messages of one frame, and a GATHER the PULL for it.
func ExampleNewScatter() {
	ctx := context.Background()
	scatter, gather := msgcore.NewScatter(nil), msgcore.NewGather(nil)
	defer scatter.Close()
	defer gather.Close()
	connect(gather, scatter)
	fmt.Println(scatter.Send(ctx, []byte("two"), []byte("frames")))
	check(scatter.Send(ctx, []byte("one frame")))
	m, err := gather.Recv(ctx)
	check(err)
	fmt.Printf("%s\n", m.Bytes())
	// Output:
	// msgcore: send SCATTER: a message of this type of socket has exactly one frame
	// one frame
}

// A GATHER receives from any number of SCATTER sockets.
func ExampleNewGather() {
	ctx := context.Background()
	gather := msgcore.NewGather(nil)
	defer gather.Close()
	endpoint, err := gather.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	for i := range 2 {
		s := msgcore.NewScatter(nil)
		defer s.Close()
		check(s.Connect(endpoint))
		check(s.Send(ctx, fmt.Append(nil, "from ", i)))
	}
	for range 2 {
		m, err := gather.Recv(ctx)
		check(err)
		fmt.Printf("%s\n", m.Bytes())
	}
	// Unordered output:
	// from 0
	// from 1
}

// PEER sockets address each other by the ids that connections get.
func ExampleNewPeer() {
	ctx := context.Background()
	a, b := msgcore.NewPeer(nil), msgcore.NewPeer(nil)
	defer a.Close()
	defer b.Close()
	endpoint, err := a.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	id, err := b.ConnectPeer(ctx, endpoint)
	check(err)
	check(b.SendMsg(ctx, msgcore.Msg{RoutingID: id, Frames: [][]byte{[]byte("ping")}}))
	m, err := a.Recv(ctx)
	check(err)
	check(m.Reply(ctx, []byte("pong")))
	m, err = b.Recv(ctx)
	check(err)
	fmt.Printf("%s %v\n", m.Bytes(), m.RoutingID == id)
	// Output: pong true
}

// A CHANNEL is a PAIR of messages of one frame.
func ExampleNewChannel() {
	ctx := context.Background()
	a, b := msgcore.NewChannel(nil), msgcore.NewChannel(nil)
	defer a.Close()
	defer b.Close()
	endpoint, err := a.Bind(ctx, "inproc://*")
	check(err)
	check(b.Connect(endpoint))
	check(b.Send(ctx, []byte("one frame each")))
	m, err := a.Recv(ctx)
	check(err)
	fmt.Printf("%s\n", m.Bytes())
	// Output: one frame each
}

// A STREAM talks to programs that know nothing of ZeroMQ.
func ExampleNewStream() {
	ctx := context.Background()
	s := msgcore.NewStream(nil)
	defer s.Close()
	endpoint, err := s.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	c, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	check(err)
	defer c.Close()
	for m, err := range s.Messages(ctx) {
		check(err)
		if m.Event() == msgcore.NotifyConnect {
			check(m.Reply(ctx, []byte("220 ready\r\n"))) // or Send, with m.Frames[0] in front
			check(m.Reply(ctx, nil))                     // an empty frame closes
			break
		}
	}
	b, err := io.ReadAll(c)
	check(err)
	fmt.Printf("%q\n", b)
	// Output: "220 ready\r\n"
}

// An http.Server over a STREAM: any transport will do.
func ExampleSocket_Listener() {
	ctx := context.Background()
	s := msgcore.NewStream(nil)
	defer s.Close()
	l, err := s.Listener()
	check(err)
	endpoint, err := s.Bind(ctx, "inproc://web")
	check(err)
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hello, ", r.URL.Path)
	}))

	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return s.Dial(ctx, endpoint)
		},
	}}
	resp, err := client.Get("http://web/you")
	check(err)
	b, err := io.ReadAll(resp.Body)
	check(err)
	check(resp.Body.Close())
	fmt.Printf("%s\n", b)
	// Output: hello, /you
}

// A DGRAM exchanges datagrams with whoever is out there.
func ExampleNewDgram() {
	ctx := context.Background()
	a, b := msgcore.NewDgram(nil), msgcore.NewDgram(nil)
	defer a.Close()
	defer b.Close()
	_, err := a.Bind(ctx, "udp://127.0.0.1:*")
	check(err)
	endpoint, err := b.Bind(ctx, "udp://127.0.0.1:*")
	check(err)
	check(a.Send(ctx, []byte(endpoint[len("udp://"):]), []byte("ping")))
	m, err := b.Recv(ctx)
	check(err)
	check(b.Send(ctx, m.Frames[0], []byte("pong")))
	m, err = a.Recv(ctx)
	check(err)
	fmt.Printf("%s\n", m.Frames[1])
	// Output: pong
}
