package msgcore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/solomq/solomq/msgcore"
	_ "github.com/solomq/solomq/transport/pgm" // epgm
	_ "github.com/solomq/solomq/transport/udp"
)

// publishNews sends news by pub until sub has some, and returns it. The endpoint
// decides how they travel, and with it the pair of types: over udp, where nobody
// can subscribe, it is RADIO and DISH.
func publishNews(pub, sub *msgcore.Socket, endpoint string) (string, error) {
	defer pub.Close()
	defer sub.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	bound, err := sub.Bind(ctx, endpoint)
	if err != nil {
		return "", err
	}
	if err := pub.Connect(bound); err != nil {
		return "", err
	}
	if err := pub.WaitSubscribers(ctx, 1); err != nil {
		return "", err
	}
	if err := pub.Send(ctx, []byte("news"), []byte("it rains")); err != nil {
		return "", err
	}
	m, err := sub.Recv(ctx)
	return string(m.Frames[0]) + ": " + string(m.Frames[1]), err
}

// The same program over threads, processes, hosts and multicast: only the
// endpoint changes.
func Example_schemes() {
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(dir)
	for _, endpoint := range []string{
		"inproc://news",
		"ipc://" + filepath.Join(dir, "news"),
		"tcp://127.0.0.1:*",
		"epgm://127.0.0.1;239.255.77.3:5577", // the loopback interface, to stay on this machine
	} {
		pub, sub := msgcore.NewPub(nil), msgcore.NewSub(nil)
		check(sub.Subscribe("news"))
		news, err := publishNews(pub, sub, endpoint)
		fmt.Println(news, err)
	}
	radio, dish := msgcore.NewRadio(nil), msgcore.NewDish(nil)
	check(dish.Join("news"))
	news, err := publishNews(radio, dish, "udp://127.0.0.1:*")
	fmt.Println(news, err)
	// Output:
	// news: it rains <nil>
	// news: it rains <nil>
	// news: it rains <nil>
	// news: it rains <nil>
	// news: it rains <nil>
}
