package unique_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// privateDir is a directory that Options.Dir accepts.
func privateDir(tb testing.TB) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "private")
	require.NoError(tb, os.Mkdir(dir, 0o700))
	return dir
}

// privateOptions are Options with a directory of their own.
func privateOptions(tb testing.TB) *unique.Options {
	return &unique.Options{Dir: privateDir(tb)}
}

func openSite(tb testing.TB, id string, o *unique.Options) *unique.Site {
	tb.Helper()
	s, err := unique.OpenSite(id, o)
	require.NoError(tb, err)
	tb.Cleanup(s.Close)
	return s
}

func TestWhereTellsWhatIsUsed(t *testing.T) {
	o := privateOptions(t)
	l, err := unique.Where("com.example.where", o)
	require.NoError(t, err)
	require.Equal(t, o.Dir, l.Dir)
	require.Equal(t, "Options.Dir", l.Source)
	require.Empty(t, l.Skipped)

	entries, err := os.ReadDir(o.Dir)
	require.NoError(t, err)
	require.Empty(t, entries, "Where must not make anything")

	s := openSite(t, "com.example.where", o)
	won, err := s.Elect(t.Context())
	require.NoError(t, err)
	require.NotNil(t, won)
	require.NoError(t, won.Publish(unique.Record{Proto: 1, Endpoint: "ipc://" + s.SocketPath("")}))
	require.Equal(t, l.Socket, s.SocketPath(""))
	for _, path := range []string{l.Gate, l.Lock, l.Record} {
		require.FileExists(t, path)
		require.Contains(t, l.String(), path)
	}
	unlock, err := s.TryStart()
	require.NoError(t, err)
	require.FileExists(t, l.Start)
	unlock()
	require.NoError(t, won.Release())
	require.NoFileExists(t, l.Record)
}

func TestWhereOfADirThatDoesNotExist(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet")
	l, err := unique.Where("x", &unique.Options{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, dir, l.Dir)
	require.NoDirExists(t, dir)
}

func TestRelativeDirDoesNotMove(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("state", 0o700))
	s := openSite(t, "x", &unique.Options{Dir: "state"})
	want := s.Dir()
	require.True(t, filepath.IsAbs(want))
	t.Chdir(t.TempDir())
	won, err := s.Elect(t.Context())
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(want, filepath.Base(s.LockPath())))
	require.NoError(t, won.Release())
}

func TestIDs(t *testing.T) {
	o := privateOptions(t)
	ids := []string{
		"a", "A", "com.example.editor", strings.Repeat("x", 4096), strings.Repeat("x", 4097),
		"a/b", "/", "..", "../../etc/passwd", "a\x00b", "a\nb", "grün", "gru\u0308n", "\xff\xfe", " ",
		strings.Repeat("/../", 1024), rand.Text(),
	}
	seen := make(map[string]string)
	for _, id := range ids {
		s := openSite(t, id, o)
		require.Equal(t, o.Dir, filepath.Dir(s.LockPath()), "id %q", id)
		require.NotContains(t, seen, s.LockPath(), "ids %q and %q", id, seen[s.LockPath()])
		seen[s.LockPath()] = id
		won, err := s.Elect(t.Context())
		require.NoError(t, err, "id %q", id)
		require.NotNil(t, won, "id %q", id)
		defer won.Release()
	}
	_, err := unique.OpenSite("", o)
	require.ErrorContains(t, err, "application id is empty")
	_, err = unique.Where("", o)
	require.ErrorContains(t, err, "application id is empty")
}

func TestChannelsHaveSocketsOfTheirOwn(t *testing.T) {
	o := privateOptions(t)
	a, b := openSite(t, "a", o), openSite(t, "b", o)
	paths := map[string]bool{}
	for _, s := range []*unique.Site{a, b} {
		for _, channel := range []string{"", "a", "b", "events", "../x", strings.Repeat("c", 4096)} {
			paths[s.SocketPath(channel)] = true
			require.Equal(t, len(s.SocketPath("")), len(s.SocketPath(channel)))
			require.Equal(t, filepath.Join(s.Dir(), "s"), filepath.Dir(s.SocketPath(channel)))
		}
	}
	require.Len(t, paths, 12)
}

func TestMissingDirIsMadePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	openSite(t, "x", &unique.Options{Dir: dir})
	for _, d := range []string{dir, filepath.Dir(dir), filepath.Dir(filepath.Dir(dir))} {
		fi, err := os.Stat(d)
		require.NoError(t, err)
		require.True(t, fi.IsDir())
		if !onWindows {
			require.Equal(t, os.FileMode(0o700), fi.Mode().Perm(), d)
		}
	}
}
