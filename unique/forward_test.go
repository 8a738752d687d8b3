package unique_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

const testID = "com.example.test"

// patience bounds what is expected to happen at once.
const patience = 30 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// primary makes this process the primary for testID and serves with h until the
// end of the test.
func primary(t *testing.T, opts *unique.Options, h unique.Handler) *unique.Instance {
	t.Helper()
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, unique.Primary, app.Role())
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = app.Serve(ctx, h)
	}()
	t.Cleanup(func() {
		cancel()
		<-served
		require.NoError(t, app.Close())
	})
	return app
}

func secondary(t *testing.T, opts *unique.Options) *unique.Instance {
	t.Helper()
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, unique.Secondary, app.Role())
	t.Cleanup(func() { require.NoError(t, app.Close()) })
	return app
}

// both runs f with a Forward from a secondary and one in the primary, which are
// to be the same to a program.
func both(t *testing.T, h unique.Handler, f func(t *testing.T, app *unique.Instance)) {
	for _, role := range []unique.Role{unique.Primary, unique.Secondary} {
		t.Run(role.String(), func(t *testing.T) {
			opts := uniquetest.Options(t)
			app := primary(t, opts, h)
			if role == unique.Secondary {
				app = secondary(t, opts)
			}
			f(t, app)
		})
	}
}

func TestForwardEverything(t *testing.T) {
	args := []string{"prog", "", "a\nb", "c|d", "\xff\xfe not UTF-8", strings.Repeat("long", 1<<16)}
	seen := make(chan *unique.Invocation, 1)
	h := func(_ context.Context, inv *unique.Invocation) int {
		in, err := io.ReadAll(inv.Stdin)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(inv.Stdout, "out:%s", in)
		fmt.Fprintf(inv.Stderr, "err:%x", len(in))
		inv.Reply = [][]byte{{}, []byte("reply")}
		seen <- inv
		return 42
	}
	both(t, h, func(t *testing.T, app *unique.Instance) {
		input := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		var stdout, stderr bytes.Buffer
		inv := &unique.Invocation{
			Args: args, Dir: "/some/where", Env: []string{"TERM=vt100", "SECRET=1", "LC_ALL=C", "XDG_ACTIVATION_TOKEN=never"},
			Data: [][]byte{[]byte("data"), {}}, Activation: unique.Activation{Token: "tok", StartupID: "sid"},
			Stdin: bytes.NewReader(input), Stdout: &stdout, Stderr: &stderr,
		}
		code, err := app.Forward(within(t), inv)
		require.NoError(t, err)
		require.Equal(t, 42, code)
		require.Equal(t, "out:"+string(input), stdout.String())
		require.Equal(t, "err:100000", stderr.String())
		require.Equal(t, [][]byte{{}, []byte("reply")}, inv.Reply)
		got := <-seen
		require.Equal(t, args, got.Args)
		require.Equal(t, "/some/where", got.Dir)
		require.NoError(t, got.DirErr)
		require.Equal(t, []string{"TERM=vt100", "LC_ALL=C"}, got.Env)
		require.Equal(t, unique.Activation{Token: "tok", StartupID: "sid"}, got.Activation)
		require.Equal(t, "vt100", got.Getenv("TERM"))
		require.Equal(t, [][]byte{[]byte("data"), {}}, got.Data)
		require.Equal(t, os.Getpid(), got.Peer.PID)
		require.Equal(t, os.Getuid(), got.Peer.UID)
		path, err := got.Path("x/../y")
		require.NoError(t, err)
		require.Equal(t, filepath.FromSlash("/some/where/y"), path)
	})
}

// A handler that looks at none of its streams is not disturbed by there being
// none.
func TestForwardNothing(t *testing.T) {
	h := func(_ context.Context, inv *unique.Invocation) int {
		n, err := inv.Stdin.Read(make([]byte, 1))
		if n != 0 || err != io.EOF {
			return 1
		}
		if _, err := io.WriteString(inv.Stdout, "dropped"); err != nil {
			return 2
		}
		if _, err := io.WriteString(inv.Stderr, "dropped"); err != nil {
			return 3
		}
		select {
		case <-inv.Signals():
			return 4
		default:
		}
		inv.Progress(unique.Progress{})
		return -1
	}
	both(t, h, func(t *testing.T, app *unique.Instance) {
		for range 3 {
			code, err := app.Forward(within(t), &unique.Invocation{})
			require.NoError(t, err)
			require.Equal(t, -1, code)
		}
	})
}

func TestForwardMissingDir(t *testing.T) {
	type seen struct {
		dir string
		err error
	}
	got := make(chan seen, 1)
	h := func(_ context.Context, inv *unique.Invocation) int {
		_, err := inv.Path("relative")
		got <- seen{inv.Dir, err}
		if abs, err := inv.Path("/abs"); err != nil || abs != "/abs" {
			return 1
		}
		return 0
	}
	both(t, h, func(t *testing.T, app *unique.Instance) {
		for _, why := range []error{
			&fs.PathError{Op: "getwd", Path: "/x", Err: fs.ErrNotExist},
			&fs.PathError{Op: "getwd", Path: "/x", Err: fs.ErrPermission},
			errors.New("another reason"),
			nil,
		} {
			code, err := app.Forward(within(t), &unique.Invocation{DirErr: why})
			require.NoError(t, err)
			require.Zero(t, code)
			s := <-got
			require.Empty(t, s.dir)
			require.Error(t, s.err)
			for _, target := range []error{fs.ErrNotExist, fs.ErrPermission} {
				require.Equal(t, errors.Is(why, target), errors.Is(s.err, target), "%v", s.err)
			}
			if why != nil && !errors.Is(why, fs.ErrNotExist) && !errors.Is(why, fs.ErrPermission) {
				require.ErrorContains(t, s.err, why.Error())
			}
		}
	})
}

func TestForwardPanicAndNotHandled(t *testing.T) {
	panics := make(chan any, 2)
	opts := uniquetest.Options(t)
	opts.OnPanic = func(_ *unique.Invocation, v any, _ []byte) { panics <- v }
	app := primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		switch inv.Args[0] {
		case "panic":
			panic(inv.Args[1])
		case "no":
			return unique.NotHandled
		}
		return 0
	})
	for _, from := range []*unique.Instance{app, secondary(t, opts)} {
		_, err := from.Forward(within(t), &unique.Invocation{Args: []string{"panic", "secret"}})
		var p *unique.PanicError
		require.ErrorAs(t, err, &p)
		require.ErrorIs(t, err, unique.ErrPanicked)
		require.Equal(t, os.Getpid(), p.Holder.PID)
		require.NotContains(t, err.Error(), "secret")
		require.Equal(t, "secret", <-panics)
		_, err = from.Forward(within(t), &unique.Invocation{Args: []string{"no"}})
		require.ErrorIs(t, err, unique.ErrNotHandled)
		code, err := from.Forward(within(t), &unique.Invocation{Args: []string{"fine"}})
		require.NoError(t, err)
		require.Zero(t, code)
	}
}

func TestForwardTooLarge(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.MaxRequest = 10_000
	app := primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		inv.Reply = [][]byte{make([]byte, len(inv.Args[0])*2)}
		return 5
	})
	other := *opts
	other.MaxRequest = 0 // the primary's counts
	for _, from := range []*unique.Instance{app, secondary(t, &other)} {
		_, err := from.Forward(within(t), &unique.Invocation{Args: []string{strings.Repeat("x", 10_000)}})
		require.ErrorIs(t, err, unique.ErrTooLarge)
		var large *unique.TooLargeError
		require.ErrorAs(t, err, &large)
		require.Equal(t, os.Getpid(), large.Holder.PID)
		require.Equal(t, unique.TooLargeError{Holder: large.Holder, What: "request", Size: 10_016, Limit: 10_000}, *large)
		code, err := from.Forward(within(t), &unique.Invocation{Args: []string{strings.Repeat("x", 9_000)}})
		require.ErrorAs(t, err, &large)
		require.Equal(t, unique.TooLargeError{Holder: large.Holder, What: "reply", Size: 18_016, Limit: 10_000}, *large)
		require.Equal(t, 5, code)
		code, err = from.Forward(within(t), &unique.Invocation{Args: []string{"x"}})
		require.NoError(t, err, "the primary is untouched")
		require.Equal(t, 5, code)
	}
}

// When the caller's context ends, Forward returns its cause at once, and the
// handler's context ends.
func TestForwardCanceled(t *testing.T) {
	started, ended := make(chan struct{}, 1), make(chan error, 1)
	h := func(ctx context.Context, inv *unique.Invocation) int {
		started <- struct{}{}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return 0
	}
	both(t, h, func(t *testing.T, app *unique.Instance) {
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(within(t))
		go func() {
			<-started
			cancel(why)
		}()
		r, w := io.Pipe() // an input that never comes
		defer w.Close()
		_, err := app.Forward(ctx, &unique.Invocation{Stdin: r})
		require.ErrorIs(t, err, why)
		require.ErrorIs(t, <-ended, unique.ErrCanceled)
	})
}

// Before GO nothing is run, and a context that ends says so.
func TestForwardCanceledWhileBooting(t *testing.T) {
	opts := uniquetest.Options(t)
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	defer first.Close()
	for _, from := range []*unique.Instance{first, secondary(t, opts)} {
		ctx, cancel := context.WithTimeout(within(t), 20*time.Millisecond)
		_, err := from.Forward(ctx, &unique.Invocation{Args: []string{"given up"}})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
	}
	done := make(chan error, 1)
	go func() {
		_, err := first.Forward(within(t), &unique.Invocation{Args: []string{"wanted"}})
		done <- err
	}()
	ctx, cancel := context.WithCancel(within(t))
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = first.Serve(ctx, func(_ context.Context, inv *unique.Invocation) int {
			if inv.Args[0] != "wanted" {
				t.Errorf("%q was run", inv.Args)
			}
			return 0
		})
	}()
	require.NoError(t, <-done)
	cancel()
	<-served
}

// Launches that come before Serve wait for it, and none is lost.
func TestForwardBeforeServe(t *testing.T) {
	const n = 50
	opts := uniquetest.Options(t)
	opts.MaxQueued = 10 // the rest try again
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	defer first.Close()
	codes := make(chan int, n)
	for k := range n {
		go func() {
			app, err := unique.Acquire(within(t), testID, opts)
			if err != nil {
				t.Error(err)
				codes <- -1
				return
			}
			defer app.Close()
			code, err := app.Forward(within(t), &unique.Invocation{Args: make([]string, k)})
			if err != nil {
				t.Error(err)
			}
			codes <- code
		}()
	}
	ctx, cancel := context.WithCancel(within(t))
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = first.Serve(ctx, func(_ context.Context, inv *unique.Invocation) int { return len(inv.Args) })
	}()
	sum := 0
	for range n {
		sum += <-codes
	}
	require.Equal(t, n*(n-1)/2, sum)
	cancel()
	<-served
}

func TestForwardProgress(t *testing.T) {
	h := func(_ context.Context, inv *unique.Invocation) int {
		for k := range 1000 {
			inv.Progress(unique.Progress{Done: int64(k) + 1, Total: 1000, Text: "step"})
		}
		return 0
	}
	both(t, h, func(t *testing.T, app *unique.Instance) {
		var got []unique.Progress
		_, err := app.Forward(within(t), &unique.Invocation{OnProgress: func(p unique.Progress) { got = append(got, p) }})
		require.NoError(t, err)
		require.NotEmpty(t, got)
		require.Equal(t, unique.Progress{Done: 1000, Total: 1000, Text: "step"}, got[len(got)-1])
		for k := 1; k < len(got); k++ {
			require.Greater(t, got[k].Done, got[k-1].Done)
		}
	})
}
