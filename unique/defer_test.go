package unique_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// A deferred invocation is over when it is completed, and its streams and its
// context work until then.
func TestDefer(t *testing.T) {
	type kept struct {
		ctx  context.Context
		inv  *unique.Invocation
		exit func(int)
	}
	pending := make(chan kept, 1)
	h := func(ctx context.Context, inv *unique.Invocation) int {
		pending <- kept{ctx, inv, inv.Defer()}
		return 99 // does not count
	}
	both(t, h, func(t *testing.T, app *unique.Instance) {
		r, w := io.Pipe()
		inv := &unique.Invocation{Stdout: w}
		type result struct {
			code int
			err  error
		}
		done := make(chan result, 1)
		go func() {
			code, err := app.Forward(within(t), inv)
			done <- result{code, err}
		}()
		p := <-pending
		go fmt.Fprint(p.inv.Stdout, "still here")
		buf := make([]byte, len("still here"))
		_, err := io.ReadFull(r, buf)
		require.NoError(t, err)
		require.NoError(t, p.ctx.Err())
		require.Empty(t, done)
		p.inv.Reply = [][]byte{[]byte("late")}
		p.exit(5)
		p.exit(6)
		require.Equal(t, result{5, nil}, <-done)
		require.Equal(t, "late", string(inv.Reply[0]))
		<-p.ctx.Done()
		_, err = p.inv.Stdout.Write([]byte("x"))
		require.ErrorIs(t, err, unique.ErrDone)

		// One whose caller gives up needs no completing.
		ctx, cancel := context.WithCancel(within(t))
		go func() {
			code, err := app.Forward(ctx, &unique.Invocation{})
			done <- result{code, err}
		}()
		p = <-pending
		cancel()
		require.ErrorIs(t, (<-done).err, context.Canceled)
		<-p.ctx.Done()
		require.ErrorIs(t, context.Cause(p.ctx), unique.ErrCanceled)
		p.exit(1)
	})
	(&unique.Invocation{}).Defer()(1) // made by hand: harmless
}

// What is not completed when Serve ends is reported as uncertain.
func TestDeferredAtTheEnd(t *testing.T) {
	opts := uniquetest.Options(t)
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	running := make(chan struct{}, 2)
	served := make(chan error, 1)
	go func() {
		served <- app.Serve(ctx, func(_ context.Context, inv *unique.Invocation) int {
			inv.Defer()
			running <- struct{}{}
			return 0
		})
	}()
	second := secondary(t, opts)
	errs := make(chan error, 2)
	for _, from := range []*unique.Instance{app, second} {
		go func() {
			_, err := from.Forward(within(t), &unique.Invocation{})
			errs <- err
		}()
		<-running
	}
	require.Equal(t, 2, app.Stats().Running)
	cancel()
	require.ErrorIs(t, <-served, context.Canceled)
	for range 2 {
		var gone *unique.GoneError
		require.ErrorAs(t, <-errs, &gone)
		require.Equal(t, app.Holder().PID, gone.Holder.PID)
	}
	require.NoError(t, app.Close())
}

// A handler that panics after Defer is over by that.
func TestDeferAndPanic(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.OnPanic = func(*unique.Invocation, any, []byte) {}
	app := primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		defer inv.Defer()(1)
		panic(errors.New("x"))
	})
	_, err := app.Forward(within(t), &unique.Invocation{})
	require.ErrorIs(t, err, unique.ErrPanicked)
	require.Equal(t, uint64(1), app.Stats().Panicked)
}
