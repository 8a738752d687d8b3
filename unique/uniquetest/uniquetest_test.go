package uniquetest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func greet(_ context.Context, inv *unique.Invocation) int {
	fmt.Fprintf(inv.Stdout, "hello %s\n", strings.Join(inv.Args[1:], " "))
	fmt.Fprintln(inv.Stderr, "greeted")
	return len(inv.Args)
}

func TestLaunch(t *testing.T) {
	opts := uniquetest.Options(t)
	for i, args := range [][]string{{}, {"a"}, {"b", "c"}} {
		r := uniquetest.Launch(t, opts, "com.example.greeter", greet, args...)
		require.NoError(t, r.Err)
		require.Equal(t, i == 0, r.Role == unique.Primary)
		require.Equal(t, len(args)+1, r.Code)
		require.Equal(t, "hello "+strings.Join(args, " ")+"\n", r.Stdout)
		require.Equal(t, "greeted\n", r.Stderr)
	}
}
