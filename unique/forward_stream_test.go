package unique_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// A caller that cannot write ends the handler's writes, with the reason.
func TestForwardWriteError(t *testing.T) {
	h := func(_ context.Context, inv *unique.Invocation) int {
		buf := make([]byte, 100_000)
		for {
			if _, err := inv.Stdout.Write(buf); err != nil {
				fmt.Fprint(inv.Stderr, err)
				if errors.Is(err, unique.ErrBrokenPipe) {
					return 1
				}
				return 2
			}
		}
	}
	both(t, h, func(t *testing.T, app *unique.Instance) {
		for want, why := range map[int]error{1: unique.ErrBrokenPipe, 2: errors.New("disk full")} {
			var stderr bytes.Buffer
			code, err := app.Forward(within(t), &unique.Invocation{Stdout: &brokenWriter{err: why}, Stderr: &stderr})
			require.NoError(t, err)
			require.Equal(t, want, code)
			require.Contains(t, stderr.String(), why.Error())
		}
	})
}

type brokenWriter struct {
	n   int
	err error
}

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.n += len(p); w.n > 300_000 {
		return 0, w.err
	}
	return len(p), nil
}

// A caller that cannot read says why.
func TestForwardReadError(t *testing.T) {
	h := func(_ context.Context, inv *unique.Invocation) int {
		b, err := io.ReadAll(inv.Stdin)
		fmt.Fprintf(inv.Stdout, "%s, then %v", b, err)
		return 0
	}
	both(t, h, func(t *testing.T, app *unique.Instance) {
		var out bytes.Buffer
		in := io.MultiReader(strings.NewReader("some"), brokenReader{})
		_, err := app.Forward(within(t), &unique.Invocation{Stdin: in, Stdout: &out})
		require.NoError(t, err)
		require.Contains(t, out.String(), "some, then ")
		require.Contains(t, out.String(), "input/output error")
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: "/dev/x", Err: errors.New("input/output error")}
}

// One caller that takes nothing holds up nobody else, and can still give up.
func TestForwardStalledCaller(t *testing.T) {
	ended := make(chan error, 1)
	h := func(ctx context.Context, inv *unique.Invocation) int {
		if inv.Args[0] == "quick" {
			return 0
		}
		buf := make([]byte, 1<<20)
		for {
			if _, err := inv.Stdout.Write(buf); err != nil {
				ended <- err
				return 1
			}
		}
	}
	opts := uniquetest.Options(t)
	primary(t, opts, h)
	stalled := secondary(t, opts)
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(within(t))
	done := make(chan error, 1)
	go func() {
		_, err := stalled.Forward(ctx, &unique.Invocation{Args: []string{"stalled"}, Stdout: w})
		done <- err
	}()
	_, err := r.Read(make([]byte, 1)) // and no more
	require.NoError(t, err)
	for range 20 {
		_, err := secondary(t, opts).Forward(within(t), &unique.Invocation{Args: []string{"quick"}})
		require.NoError(t, err)
	}
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.ErrorIs(t, <-ended, unique.ErrCanceled)
	r.Close() // lets the write go that Forward has left alone
}
