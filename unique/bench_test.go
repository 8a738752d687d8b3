package unique_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// BenchmarkSecondLaunch is what a second launch costs beside the start of its
// process: Acquire, Forward and Close, with a primary in the same process.
func BenchmarkSecondLaunch(b *testing.B) {
	opts := uniquetest.Options(b)
	h := func(context.Context, *unique.Invocation) int { return 0 }
	require.NoError(b, uniquetest.Launch(b, opts, testID, h).Err)
	inv := unique.Current()
	b.ResetTimer()
	for b.Loop() {
		app, err := unique.Acquire(context.Background(), testID, opts)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := app.Forward(context.Background(), inv); err != nil {
			b.Fatal(err)
		}
		if err := app.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStdout is the throughput of a handler's output.
func BenchmarkStdout(b *testing.B) {
	opts := uniquetest.Options(b)
	const size = 1 << 20
	h := func(_ context.Context, inv *unique.Invocation) int {
		buf := make([]byte, size)
		for range len(inv.Data) {
			if _, err := inv.Stdout.Write(buf); err != nil {
				return 1
			}
		}
		return 0
	}
	require.NoError(b, uniquetest.Launch(b, opts, testID, h).Err)
	app, err := unique.Acquire(context.Background(), testID, opts)
	require.NoError(b, err)
	defer app.Close()
	b.SetBytes(size)
	b.ResetTimer()
	_, err = app.Forward(context.Background(), &unique.Invocation{Stdout: io.Discard, Data: make([][]byte, b.N)})
	require.NoError(b, err)
}
