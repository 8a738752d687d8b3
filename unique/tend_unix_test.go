//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package unique_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const canLockDirs = true

// dirIsLocked tries what systemd-tmpfiles tries.
func dirIsLocked(t *testing.T, dir string) bool {
	t.Helper()
	f, err := os.Open(dir)
	require.NoError(t, err)
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		require.ErrorIs(t, err, syscall.EWOULDBLOCK)
	}
	return err != nil
}
