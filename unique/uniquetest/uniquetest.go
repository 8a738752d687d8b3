// Package uniquetest is for the tests of programs that use package unique: a
// private directory for each test, so that tests do not meet the program that
// runs on the same machine, and launches of the program in the process of the
// test.
//
//	func TestGreets(t *testing.T) {
//		opts := uniquetest.Options(t)
//		first := uniquetest.Launch(t, opts, "com.example.greeter", greet)
//		second := uniquetest.Launch(t, opts, "com.example.greeter", greet, "--loud")
//		if second.Stdout != "HELLO\n" {
//			t.Errorf("second launch printed %q", second.Stdout)
//		}
//	}
package uniquetest

import (
	"bytes"
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/solomq/solomq/unique"
)

// Options returns options with a directory that nobody else uses and that is
// removed at the end of the test. The caller may change the rest of them.
func Options(tb testing.TB) *unique.Options {
	tb.Helper()
	// Not tb.TempDir: its mode depends on the umask, and its length on the name
	// of the test, while the path of a socket has 100 bytes or so.
	dir, err := os.MkdirTemp("", "unique-")
	if err != nil {
		tb.Fatalf("uniquetest: no directory: %v", err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("uniquetest: %v", err)
		}
	})
	return &unique.Options{Dir: dir}
}

// A Result is what became of a launch.
type Result struct {
	// Role is what the launch was: the first one of an id is the primary.
	Role           unique.Role
	Code           int // the exit code
	Stdout, Stderr string
	Reply          [][]byte
	Err            error // of Acquire or Forward
}

// timeout is how long a launch may take. It only has to be shorter than the
// test's own, whose end says less.
const timeout = time.Minute

// Launch starts the program once more, in this process: it acquires id, serves
// with h if it is the primary, forwards args behind a program name, with an
// empty standard input, and waits for the end. A primary stays until the end of
// the test. opts nil means Options(tb), which no other launch shares.
func Launch(tb testing.TB, opts *unique.Options, id string, h unique.Handler, args ...string) Result {
	tb.Helper()
	inv := &unique.Invocation{Args: append([]string{"test"}, args...)}
	inv.Dir, inv.DirErr = os.Getwd()
	return LaunchWith(tb, opts, id, h, inv)
}

// LaunchWith is Launch for an invocation made by the caller. Streams that it
// leaves nil are an empty input, and what Result shows.
func LaunchWith(tb testing.TB, opts *unique.Options, id string, h unique.Handler, inv *unique.Invocation) Result {
	tb.Helper()
	if opts == nil {
		opts = Options(tb)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	app, err := unique.Acquire(ctx, id, opts)
	if err != nil {
		return Result{Err: err}
	}
	if app.Role() == unique.Primary {
		serve(tb, app, h)
	} else {
		defer app.Close()
	}
	var stdout, stderr bytes.Buffer
	if inv.Stdin == nil {
		inv.Stdin = &bytes.Reader{}
	}
	show := func(w *io.Writer, b *bytes.Buffer) {
		if *w == nil {
			*w = b
		}
	}
	show(&inv.Stdout, &stdout)
	show(&inv.Stderr, &stderr)
	r := Result{Role: app.Role()}
	r.Code, r.Err = app.Forward(ctx, inv)
	r.Stdout, r.Stderr, r.Reply = stdout.String(), stderr.String(), inv.Reply
	return r
}

// serve runs the primary until the end of the test.
func serve(tb testing.TB, app *unique.Instance, h unique.Handler) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = app.Serve(ctx, h) // ends with ctx
	}()
	tb.Cleanup(func() {
		cancel()
		<-done
		if err := app.Close(); err != nil {
			tb.Errorf("uniquetest: the primary: %v", err)
		}
	})
}
