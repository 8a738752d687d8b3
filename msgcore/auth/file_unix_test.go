//go:build unix

package auth_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/msgcore/auth"
	"github.com/solomq/solomq/msgcore/curve"
)

// What others may write to is no authority.
func TestFilesOfOthers(t *testing.T) {
	dir := t.TempDir()
	users, keys := filepath.Join(dir, "users"), filepath.Join(dir, "keys")
	write(t, users, "bob:"+goodBcrypt+"\n")
	require.NoError(t, os.Mkdir(keys, 0o700))
	key := filepath.Join(keys, "bob")
	require.NoError(t, (&curve.Certificate{Public: curve.SecretKey{1}.Public()}).Save(key))
	o := &auth.Options{Passwords: users, Keys: keys}
	newAuth(t, o)
	refused := func(path string, mode os.FileMode, why string) {
		t.Helper()
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.NoError(t, os.Chmod(path, mode))
		_, err = auth.New(o)
		require.ErrorContains(t, err, why)
		require.ErrorContains(t, err, path)
		require.NoError(t, os.Chmod(path, info.Mode().Perm()))
	}
	refused(users, 0o620, "may write to it")
	refused(users, 0o602, "may write to it")
	refused(users, 0o604, "may read the hashes")
	refused(keys, 0o770, "may write to it")
	refused(key, 0o666, "may write to it")
	require.NoError(t, os.Chmod(users, 0o640))
	newAuth(t, o)

	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(users, 65534, -1))
		_, err := auth.New(o)
		require.ErrorContains(t, err, "belongs to another user")
	} else {
		t.Log("files of another user are not tried: that takes root")
	}
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	_, err := auth.New(&auth.Options{Passwords: pipe})
	require.ErrorContains(t, err, "not a regular file")
}
