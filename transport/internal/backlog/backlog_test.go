package backlog_test

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/internal/backlog"
)

func TestCheck(t *testing.T) {
	require.NoError(t, backlog.Check(1))
	if _, err := os.Stat("/proc/sys/net/core/somaxconn"); err != nil {
		t.Skip("the limit cannot be told here")
	}
	require.ErrorContains(t, backlog.Check(math.MaxInt32), "Backlog of 2147483647 is over the limit")
}
