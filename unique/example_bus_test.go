package unique_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/unique"
)

// A broadcast bus: any process of the application publishes, and all that listen
// hear it. The primary joins the two sides.
func ExampleInstance_Open_bus() {
	ctx := context.Background()
	app, err := unique.Acquire(ctx, "com.example.bus", nil)
	if err != nil {
		return
	}
	defer app.Close()
	if app.Role() == unique.Primary {
		in, err := app.Open(ctx, "publish", msgcore.XSub, nil)
		if err != nil {
			return
		}
		defer in.Close()
		out, err := app.Open(ctx, "listen", msgcore.XPub, nil)
		if err != nil {
			return
		}
		defer out.Close()
		proxy := &msgcore.Proxy{Frontend: in, Backend: out}
		_ = proxy.Run(ctx)
		return
	}
	pub, err := app.Open(ctx, "publish", msgcore.Pub, nil)
	if err != nil {
		return
	}
	defer pub.Close()
	sub, err := app.Open(ctx, "listen", msgcore.Sub, nil)
	if err != nil {
		return
	}
	defer sub.Close()
	_ = sub.Subscribe("theme.")
	_ = pub.WaitSubscribers(ctx, 1)
	_ = pub.Send(ctx, []byte("theme.dark"))
	if m, err := sub.Recv(ctx); err == nil {
		fmt.Printf("%s\n", m.Frames[0])
	}
}

// A signal bus: a signal that the primary gets reaches every process that
// listens, those without a terminal and those that others have started, too.
func ExampleInstance_Open_signals() {
	ctx := context.Background()
	app, err := unique.Acquire(ctx, "com.example.workers", nil)
	if err != nil {
		return
	}
	defer app.Close()
	if app.Role() == unique.Primary {
		bus, err := app.Open(ctx, "signals", msgcore.Pub, nil)
		if err != nil {
			return
		}
		defer bus.Close()
		sigs := make(chan os.Signal, 1)
		signal.Notify(sigs, os.Interrupt, syscall.SIGTERM)
		_ = bus.Send(ctx, []byte((<-sigs).String()))
		return
	}
	bus, err := app.Open(ctx, "signals", msgcore.Sub, nil)
	if err != nil {
		return
	}
	defer bus.Close()
	_ = bus.Subscribe("")
	if m, err := bus.Recv(ctx); err == nil {
		fmt.Printf("the primary was told: %s\n", m.Frames[0])
	}
}
