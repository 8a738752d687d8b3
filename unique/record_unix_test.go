//go:build unix && !aix && (!solaris || illumos)

package unique_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/unique"
)

func TestSpecialFilesAreNoRecord(t *testing.T) {
	s := openSite(t, "x", privateOptions(t))
	r := fullRecord()
	good := r.AppendTo(nil)
	elsewhere := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(elsewhere, good, 0o600))
	cases := map[string]func(path string) error{
		"link":          func(path string) error { return os.Symlink(elsewhere, path) },
		"dangling link": func(path string) error { return os.Symlink("nowhere", path) },
		"named pipe":    func(path string) error { return unix.Mkfifo(path, 0o600) },
	}
	if os.Geteuid() == 0 {
		cases["another user's"] = func(path string) error {
			if err := os.WriteFile(path, good, 0o600); err != nil {
				return err
			}
			return os.Chown(path, nobody, -1)
		}
	} else {
		cases["unreadable"] = func(path string) error { return os.WriteFile(path, good, 0o200) }
	}
	for name, place := range cases {
		require.NoError(t, place(s.RecordPath()), name)
		_, err := s.ReadRecord()
		require.ErrorIs(t, err, unique.ErrNoRecord, name)
		won := win(t, s)
		require.NoError(t, won.Publish(r), name)
		require.NoError(t, won.Release(), name)
	}
	data, err := os.ReadFile(elsewhere)
	require.NoError(t, err)
	require.Equal(t, good, data, "nothing was written through the link")
}

// TestPlantedLockFiles: what is not a plain file cannot be locked, and is said so instead of being followed.
func TestPlantedLockFiles(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(elsewhere, []byte("precious"), 0o600))
	for name, place := range map[string]func(path string) error{
		"link":          func(path string) error { return os.Symlink(elsewhere, path) },
		"dangling link": func(path string) error { return os.Symlink(elsewhere+"2", path) },
		"directory":     func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		s := openSite(t, "x", privateOptions(t))
		require.NoError(t, place(s.LockPath()), name)
		won, err := s.Elect(t.Context())
		require.ErrorContains(t, err, "unique: cannot lock "+s.LockPath(), name)
		require.Nil(t, won, name)
		require.NoError(t, os.Remove(s.LockPath()))
		require.NoError(t, win(t, s).Release(), "%s: the gate must be free again", name)
	}
	data, err := os.ReadFile(elsewhere)
	require.NoError(t, err)
	require.Equal(t, "precious", string(data))
	require.NoFileExists(t, elsewhere+"2")
}
