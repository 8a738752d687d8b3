// Hello is the smallest program of one instance. The first launch stays for a
// minute; a second one is answered by it, where it was typed:
//
//	$ go run ./examples/hello first &
//	process 812 says hello to [first]
//	$ go run ./examples/hello second
//	process 812 says hello to [second]
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/solomq/solomq/unique"
)

func main() {
	code, err := unique.Run(context.Background(), "com.example.hello", &unique.Options{Idle: time.Minute},
		func(_ context.Context, inv *unique.Invocation) int {
			fmt.Fprintf(inv.Stdout, "process %d says hello to %v\n", os.Getpid(), inv.Args[1:])
			return 0
		})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}
