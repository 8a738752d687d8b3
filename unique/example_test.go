package unique_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/unique"
)

func handle(ctx context.Context, inv *unique.Invocation) int {
	fmt.Fprintf(inv.Stdout, "process %d opens %q\n", os.Getpid(), inv.Args[1:])
	return 0
}

// A desktop program: its window opens in the primary, and whatever is started
// later ends up there, too.
func Example() {
	ctx := context.Background()
	app, err := unique.Acquire(ctx, "com.example.editor", nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if app.Role() == unique.Primary {
		go app.Serve(ctx, handle) // func handle(ctx context.Context, inv *unique.Invocation) int
	}
	code, err := app.Forward(ctx, unique.Current().WithStdio()) // in the primary: straight to handle
	if app.Role() == unique.Secondary {
		app.Close()
		os.Exit(code)
	}
	showWindow()
}

func showWindow() {}

// A command-line tool whose work is done by one process at a time.
func ExampleRun() {
	code, err := unique.Run(context.Background(), "com.example.tool", nil, handle)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

// A tool that hands its work to a process in the background, which it starts if
// there is none and which ends when it has had nothing to do for a minute.
func ExampleOptions_startPrimary() {
	const id = "com.example.daemon"
	if len(os.Args) > 1 && os.Args[1] == "--daemon" {
		app, err := unique.Acquire(context.Background(), id, &unique.Options{Idle: time.Minute})
		if err == nil && app.Role() == unique.Primary {
			err = app.Serve(context.Background(), handle)
		}
		if err != nil {
			os.Exit(1)
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code, err := unique.Run(context.Background(), id, &unique.Options{
		StartPrimary: exec.Command(self, "--daemon"),
		Env:          []string{"*"},
	}, handle)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

// What can go wrong, and what it means for the work that was to be handed over.
func ExampleInstance_Forward() {
	ctx := context.Background()
	app, err := unique.Acquire(ctx, "com.example.editor", nil)
	if err != nil {
		return
	}
	_, err = app.Forward(ctx, unique.Current().WithStdio().WithSignals())
	var hung *unique.UnresponsiveError
	switch {
	case errors.As(err, &hung):
		fmt.Printf("process %d hangs; nothing was done\n", hung.Holder.PID)
	case errors.Is(err, unique.ErrNotHandled), errors.Is(err, unique.ErrNoPrimary):
		fmt.Println("nothing was done")
	case errors.Is(err, unique.ErrGone):
		fmt.Println("it may have been done, in part or in full")
	case err != nil:
		fmt.Println(err)
	}
}

// The application's own messages: the primary publishes, secondaries listen.
func ExampleInstance_Open() {
	ctx := context.Background()
	app, err := unique.Acquire(ctx, "com.example.player", nil)
	if err != nil {
		return
	}
	defer app.Close()
	if app.Role() == unique.Primary {
		pub, err := app.Open(ctx, "events", msgcore.Pub, nil)
		if err != nil {
			return
		}
		defer pub.Close()
		_ = pub.Send(ctx, []byte("song changed"))
		return
	}
	sub, err := app.Open(ctx, "events", msgcore.Sub, nil)
	if err != nil {
		return
	}
	defer sub.Close()
	_ = sub.Subscribe("song")
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			return
		}
		fmt.Printf("%s\n", m.Frames[0])
	}
}

func ExampleLookup() {
	holder, err := unique.Lookup(context.Background(), "com.example.editor", nil)
	if errors.Is(err, unique.ErrNoPrimary) {
		fmt.Println("not running")
		return
	}
	if err == nil {
		fmt.Printf("running as pid %d since %v, %v\n", holder.PID, holder.Started, holder.State)
	}
}
