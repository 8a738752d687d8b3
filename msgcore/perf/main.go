package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

var errUsage = errors.New(strings.TrimSpace(`usage: go -C msgcore/perf run . COMMAND [FLAGS]

  compare   measures SoloMQ and others side by side and reports
  profile   takes profiles of SoloMQ's two sides: of the CPU or, with -kind, of locks,
            waiting or allocations

"go -C msgcore/perf run . COMMAND -h" tells the flags, "go doc" the rest.
`))

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "perf:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "compare":
		return compareCommand(ctx, args[1:])
	case "profile":
		return profileCommand(ctx, args[1:])
	default:
		return fmt.Errorf("no command %q; %w", args[0], errUsage)
	}
}
