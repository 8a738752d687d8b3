//go:build unix || windows

package ipc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/ipc"
	"github.com/solomq/solomq/transport/transporttest"
)

func TestConformance(t *testing.T) {
	transporttest.Run(t, ipc.Transport{}, freshPath)
}

func TestConformanceAbstract(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has abstract names")
	}
	transporttest.Run(t, ipc.Transport{}, freshAbstract)
}

// freshPath returns a path in a fresh directory: a short one, because
// TempDir has the test's name in it and a socket's path must be short.
func freshPath(tb testing.TB) string {
	dir, err := os.MkdirTemp("", "ipc")
	require.NoError(tb, err)
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

var abstractNames atomic.Int64

func freshAbstract(testing.TB) string {
	return fmt.Sprintf("@ipc-test-%d-%d", os.Getpid(), abstractNames.Add(1))
}
