//go:build unix && !aix

package unique_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// A handler hears of the death of its caller at once: half of the times within
// some milliseconds, and even on a busy machine within a quarter of a second.
func TestProcessCallerGoneIsHeardSoon(t *testing.T) {
	const limit = 250 * time.Millisecond
	opts := uniquetest.Options(t)
	heard := make(chan time.Time, 1)
	primary(t, opts, func(ctx context.Context, inv *unique.Invocation) int {
		fmt.Fprintln(inv.Stdout, "waiting")
		<-ctx.Done()
		heard <- time.Now()
		return 0
	})
	var median time.Duration
	for range 3 { // a neighbour may spoil one
		var took []time.Duration
		for range size(5, 50) {
			second := start(t, "second", opts.Dir, nil, "x")
			require.Equal(t, "waiting", second.line())
			killed := time.Now()
			require.NoError(t, second.cmd.Process.Kill())
			select {
			case at := <-heard:
				took = append(took, at.Sub(killed))
			case <-time.After(patience):
				require.FailNow(t, "the handler did not hear of it")
			}
			second.reap()
		}
		slices.Sort(took)
		median = took[len(took)/2]
		t.Logf("the end of the caller is heard after %v (median of %d), %v at most", median, len(took), took[len(took)-1])
		if median <= limit {
			break
		}
	}
	require.LessOrEqual(t, median, limit)
}
