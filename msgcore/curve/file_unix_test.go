//go:build unix

package curve_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/msgcore/curve"
)

func TestSecretFilePermissions(t *testing.T) {
	// A umask that gives all away does not matter.
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, certificate().Save(path))
	for name, mode := range map[string]os.FileMode{path: 0o644, path + "_secret": 0o600} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode())
	}
	for _, mode := range []os.FileMode{0o400, 0o600, 0o700} {
		require.NoError(t, os.Chmod(path+"_secret", mode))
		_, err := curve.LoadSecret(path)
		require.NoError(t, err)
	}
	for bit := range 6 {
		require.NoError(t, os.Chmod(path+"_secret", 0o600|1<<bit))
		_, err := curve.LoadSecret(path)
		require.ErrorContains(t, err, "other users may use")
		require.ErrorContains(t, err, path+"_secret")
	}
	// Saving again mends it.
	require.NoError(t, certificate().Save(path))
	_, err := curve.LoadSecret(path)
	require.NoError(t, err)

	// The file counts, not the link to it.
	link := filepath.Join(t.TempDir(), "link_secret")
	require.NoError(t, os.Symlink(path+"_secret", link))
	_, err = curve.LoadSecret(link)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path+"_secret", 0o640))
	_, err = curve.LoadSecret(link)
	require.ErrorContains(t, err, "other users may use")

	// A pipe that nobody writes to does not hold us.
	require.NoError(t, unix.Mkfifo(path+"pipe_secret", 0o600))
	_, err = curve.LoadSecret(path + "pipe")
	require.ErrorContains(t, err, "not a regular file")
}

func TestSecretFileOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another user")
	}
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, certificate().Save(path))
	require.NoError(t, os.Chown(path+"_secret", 12345, 12345))
	_, err := curve.LoadSecret(path)
	require.ErrorContains(t, err, "belongs to another user")
}
