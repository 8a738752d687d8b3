// A program of a single instance, made with package unique.
//
//	launch primary DIR      is the first instance, and says "ready"
//	launch run DIR ARG...   is a second one: unique.Run, with its streams
//	launch forward DIR ARG...   the same by Acquire and Forward, without streams
//
// The exit code of a second one is the number of its arguments behind DIR, and one.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/solomq/solomq/unique"
)

const id = "perf"

func main() {
	code, err := launch(context.Background(), os.Args[1], &unique.Options{Dir: os.Args[2]})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func handle(_ context.Context, inv *unique.Invocation) int { return len(inv.Args) - 2 }

func launch(ctx context.Context, mode string, opts *unique.Options) (int, error) {
	if mode == "run" {
		return unique.Run(ctx, id, opts, handle)
	}
	app, err := unique.Acquire(ctx, id, opts)
	if err != nil {
		return 0, err
	}
	switch {
	case mode == "primary" && app.Role() == unique.Primary:
		fmt.Println("ready")
		return 0, app.Serve(ctx, handle)
	case mode == "forward" && app.Role() == unique.Secondary:
		code, err := app.Forward(ctx, unique.Current())
		app.Close()
		return code, err
	default:
		return 0, fmt.Errorf("as %v the mode is %q", app.Role(), mode)
	}
}
