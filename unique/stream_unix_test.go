//go:build unix

package unique_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// blockingFile is a second descriptor of f, in blocking mode as a program's
// standard input is.
func blockingFile(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := syscall.Dup(int(f.Fd()))
	require.NoError(t, err)
	require.NoError(t, syscall.SetNonblock(fd, false))
	b := os.NewFile(uintptr(fd), "blocking")
	t.Cleanup(func() { b.Close() })
	return b
}
