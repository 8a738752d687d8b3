package unique_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// Launches of one scope meet, those of different ones do not, and channels are as
// apart as the primaries.
func TestScopes(t *testing.T) {
	docs := t.TempDir()
	one, two := filepath.Join(docs, "one"), filepath.Join(docs, "two")
	require.NoError(t, os.Mkdir(one, 0o755))
	require.NoError(t, os.Mkdir(two, 0o700))
	scoped := func(s unique.Scope, key string) unique.Options { return unique.Options{Scope: s, ScopeKey: key} }
	all := []unique.Options{
		{},
		scoped(unique.PerDirectory, one),
		scoped(unique.PerDirectory, two),
		scoped(unique.PerGroup, one), // a name that happens to be that of a directory
		scoped(unique.PerGroup, "g"),
	}
	opts := uniquetest.Options(t)
	paths := map[string]bool{}
	for n, o := range all {
		o.Dir = opts.Dir
		app := primary(t, &o, exits(n))
		require.Equal(t, n, <-forwarding(t, secondary(t, &o)))
		endpoint, _, err := app.Endpoint(within(t), "channel")
		require.NoError(t, err)
		paths[endpoint], paths[app.Holder().Endpoint] = true, true
	}
	require.Len(t, paths, 2*len(all))

	// The same directory by other names.
	o := scoped(unique.PerDirectory, filepath.Join(two, "..", "one", "."))
	o.Dir = opts.Dir
	require.Equal(t, 1, <-forwarding(t, secondary(t, &o)))
	t.Chdir(one)
	o.ScopeKey = "."
	require.Equal(t, 1, <-forwarding(t, secondary(t, &o)))
	if !onWindows {
		link := filepath.Join(docs, "link")
		require.NoError(t, os.Symlink(one, link))
		o.ScopeKey = link
		require.Equal(t, 1, <-forwarding(t, secondary(t, &o)))
	}

	l, err := unique.Where(testID, &o)
	require.NoError(t, err)
	require.Equal(t, unique.PerDirectory, l.Scope)
	require.Contains(t, l.String(), "one for each directory")
}

// What a display and a session are is said by the environment, in the form in
// which it does.
func TestScopeOfDisplays(t *testing.T) {
	where := func(s unique.Scope, env map[string]string) (string, error) {
		l, err := unique.WhereIn(env, "", "", "x", &unique.Options{Dir: t.TempDir() + "/d", Scope: s})
		if err != nil {
			return "", err
		}
		return filepath.Base(l.Lock), nil
	}
	same := func(a, b map[string]string) bool {
		t.Helper()
		x, err := where(unique.PerDisplay, a)
		require.NoError(t, err)
		y, err := where(unique.PerDisplay, b)
		require.NoError(t, err)
		return x == y
	}
	type env = map[string]string
	require.True(t, same(env{"DISPLAY": ":0"}, env{"DISPLAY": ":0.1"}))
	require.True(t, same(env{"DISPLAY": ":0"}, env{"DISPLAY": "unix:0"}))
	require.False(t, same(env{"DISPLAY": ":0"}, env{"DISPLAY": ":1"}))
	require.False(t, same(env{"DISPLAY": ":0"}, env{"DISPLAY": "host:0"}))
	require.True(t, same(env{"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, env{"DISPLAY": ":5", "WAYLAND_DISPLAY": "wayland-0"}), "Wayland comes first")
	require.True(t, same(env{"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": "/run/x"}, env{"WAYLAND_DISPLAY": "/run/x/wayland-0"}))
	require.False(t, same(env{"WAYLAND_DISPLAY": "wayland-0"}, env{"WAYLAND_DISPLAY": "wayland-1"}))
	if runtime.GOOS == "linux" {
		_, err := where(unique.PerDisplay, env{})
		require.ErrorContains(t, err, "no display")
		_, err = where(unique.PerDisplay, env{"DISPLAY": "nonsense"})
		require.ErrorContains(t, err, "nonsense")
	}
	a, errA := where(unique.PerSession, env{"XDG_SESSION_ID": "1"})
	b, errB := where(unique.PerSession, env{"XDG_SESSION_ID": "2"})
	require.NoError(t, errA)
	require.NoError(t, errB)
	require.Equal(t, unique.SystemSession() != "", a == b, "the kernel's word comes first")
	if _, err := where(unique.PerSession, env{}); unique.SystemSession() == "" {
		require.ErrorContains(t, err, "no login session")
	}
}

func TestInvalidScopes(t *testing.T) {
	for _, o := range []unique.Options{
		{Scope: 99},
		{ScopeKey: "x"},
		{Scope: unique.PerSession, ScopeKey: "x"},
		{Scope: unique.PerGroup},
		{Scope: unique.PerDirectory},
	} {
		require.ErrorContains(t, o.Validate(), "unique: Options.Scope")
	}
	file := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, key := range []string{file, file + "/none"} {
		_, err := unique.Where("x", &unique.Options{Scope: unique.PerDirectory, ScopeKey: key})
		require.ErrorContains(t, err, "has to be a directory")
	}
	require.Equal(t, "session", unique.PerSession.String())
	require.Equal(t, "Scope(9)", unique.Scope(9).String())
}
