//go:build unix

package unique_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

const onWindows = false

// nobody is a user id that is neither root's nor, most likely, anybody's.
const nobody = 65534

func needRoot(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("needs root, to act as two users")
	}
}

// TestUnsafeDir: each way in which others could interfere is refused with its exact reason.
func TestUnsafeDir(t *testing.T) {
	mkdir := func(t *testing.T, dir string, mode fs.FileMode) string {
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.Chmod(dir, mode)) // whatever the umask
		return dir
	}
	me := os.Geteuid()
	for _, c := range []struct {
		name string
		root bool
		make func(t *testing.T, base string) (dir, part string)
		want string
	}{
		{name: "symlink", make: func(t *testing.T, base string) (string, string) {
			real := mkdir(t, filepath.Join(base, "real"), 0o700)
			link := filepath.Join(base, "link")
			require.NoError(t, os.Symlink(real, link))
			return link, link
		}, want: "is a symbolic link"},
		{name: "dangling symlink", make: func(t *testing.T, base string) (string, string) {
			link := filepath.Join(base, "link")
			require.NoError(t, os.Symlink(filepath.Join(base, "nowhere"), link))
			return link, link
		}, want: "is a symbolic link"},
		{name: "symlink with a slash", make: func(t *testing.T, base string) (string, string) {
			link := filepath.Join(base, "link")
			require.NoError(t, os.Symlink(mkdir(t, filepath.Join(base, "real"), 0o700), link))
			return link + "/", link
		}, want: "is a symbolic link"},
		{name: "file", make: func(t *testing.T, base string) (string, string) {
			file := filepath.Join(base, "file")
			require.NoError(t, os.WriteFile(file, nil, 0o600))
			return file, file
		}, want: "is not a directory"},
		{name: "group-writable", make: func(t *testing.T, base string) (string, string) {
			d := mkdir(t, filepath.Join(base, "d"), 0o770)
			return d, d
		}, want: "is open to its group (mode 0770, want 0700)"},
		{name: "group-readable", make: func(t *testing.T, base string) (string, string) {
			d := mkdir(t, filepath.Join(base, "d"), 0o740)
			return d, d
		}, want: "is open to its group (mode 0740, want 0700)"},
		{name: "searchable by others", make: func(t *testing.T, base string) (string, string) {
			d := mkdir(t, filepath.Join(base, "d"), 0o701)
			return d, d
		}, want: "is open to others (mode 0701, want 0700)"},
		{name: "usual mode", make: func(t *testing.T, base string) (string, string) {
			d := mkdir(t, filepath.Join(base, "d"), 0o755)
			return d, d
		}, want: "is open to its group and others (mode 0755, want 0700)"},
		{name: "sticky and public", make: func(t *testing.T, base string) (string, string) {
			d := mkdir(t, filepath.Join(base, "d"), 0o777|fs.ModeSticky)
			return d, d
		}, want: "is open to its group and others (mode 0777, want 0700)"},
		{name: "group-writable above", make: func(t *testing.T, base string) (string, string) {
			up := mkdir(t, filepath.Join(base, "up"), 0o775)
			return mkdir(t, filepath.Join(up, "d"), 0o700), up
		}, want: "is writable by its group (mode 0775) and not sticky, and it is above "},
		{name: "public above", make: func(t *testing.T, base string) (string, string) {
			up := mkdir(t, filepath.Join(base, "up"), 0o702)
			require.NoError(t, os.Mkdir(filepath.Join(up, "mid"), 0o700))
			return mkdir(t, filepath.Join(up, "mid", "d"), 0o700), up
		}, want: "is writable by others (mode 0702) and not sticky, and it is above "},
		{name: "public behind a link", make: func(t *testing.T, base string) (string, string) {
			up := mkdir(t, filepath.Join(base, "up"), 0o777)
			require.NoError(t, os.Symlink("up", filepath.Join(base, "link")))
			mkdir(t, filepath.Join(up, "d"), 0o700)
			return filepath.Join(base, "link", "d"), up
		}, want: "is writable by its group and others (mode 0777) and not sticky, and it is above "},
		{name: "loop of links", make: func(t *testing.T, base string) (string, string) {
			link := filepath.Join(base, "loop")
			require.NoError(t, os.Symlink("loop", link))
			return filepath.Join(link, "d"), link
		}, want: "leads through more than 40 symbolic links"},
		{name: "missing below a public one", make: func(t *testing.T, base string) (string, string) {
			up := mkdir(t, filepath.Join(base, "up"), 0o777)
			return filepath.Join(up, "new"), up
		}, want: "is writable by its group and others (mode 0777) and not sticky, and it is above "},
		{name: "another user's", root: true, make: func(t *testing.T, base string) (string, string) {
			d := mkdir(t, filepath.Join(base, "d"), 0o700)
			require.NoError(t, os.Chown(d, nobody, -1))
			return d, d
		}, want: fmt.Sprintf("belongs to uid %d, not to uid %d", nobody, me)},
		{name: "another user's above", root: true, make: func(t *testing.T, base string) (string, string) {
			up := mkdir(t, filepath.Join(base, "up"), 0o755)
			d := mkdir(t, filepath.Join(up, "d"), 0o700)
			require.NoError(t, os.Chown(up, nobody, -1))
			return d, up
		}, want: fmt.Sprintf("belongs to uid %d, neither to root nor to uid %d, and it is above ", nobody, me)},
		{name: "another user's link above", root: true, make: func(t *testing.T, base string) (string, string) {
			up := mkdir(t, filepath.Join(base, "up"), 0o777|fs.ModeSticky)
			mkdir(t, filepath.Join(up, "real"), 0o755)
			mkdir(t, filepath.Join(up, "real", "d"), 0o700)
			link := filepath.Join(up, "link")
			require.NoError(t, os.Symlink("real", link))
			require.NoError(t, os.Lchown(link, nobody, -1))
			return filepath.Join(link, "d"), link
		}, want: fmt.Sprintf("is a symbolic link that belongs to uid %d, neither to root nor to uid %d, and it is above ", nobody, me)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.root {
				needRoot(t)
			}
			base := physicalDir(t)
			dir, part := c.make(t, base)
			for what, err := range map[string]error{
				"Where":    second(unique.Where("x", &unique.Options{Dir: dir})),
				"openSite": second(unique.OpenSite("x", &unique.Options{Dir: dir})),
			} {
				require.ErrorIs(t, err, unique.ErrUnsafeDir, what)
				var u *unique.UnsafeDirError
				require.ErrorAs(t, err, &u, what)
				require.Equal(t, part, u.Path, what)
				if strings.HasSuffix(c.want, "above ") {
					require.Equal(t, c.want+filepath.Clean(dir), u.Reason, what)
				} else {
					require.True(t, strings.HasPrefix(u.Reason, c.want), "%s: %q", what, u.Reason)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// TestSafeDir: what is safe although it looks unusual.
func TestSafeDir(t *testing.T) {
	base := t.TempDir()
	public := filepath.Join(base, "public")
	require.NoError(t, os.Mkdir(public, 0o700))
	require.NoError(t, os.Chmod(public, 0o777|fs.ModeSticky))
	require.NoError(t, os.Mkdir(filepath.Join(public, "d"), 0o700))
	require.NoError(t, os.Symlink("public", filepath.Join(base, "relative")))
	require.NoError(t, os.Symlink(filepath.Join(base, "relative"), filepath.Join(base, "absolute")))
	require.NoError(t, os.Symlink("../"+filepath.Base(base)+"/./public", filepath.Join(base, "dots")))
	for _, dir := range []string{"public/d", "relative/d", "absolute/d", "dots/d", "public/new/one"} {
		s := openSite(t, "x", &unique.Options{Dir: filepath.Join(base, dir)})
		won, err := s.Elect(t.Context())
		require.NoError(t, err, dir)
		require.NotNil(t, won, dir)
		require.NoError(t, won.Release())
	}
}

// A layout is a made-up host.
type layout struct {
	base, runUser, tmp string
	env                map[string]string
}

func newLayout(t *testing.T) *layout {
	l := &layout{base: physicalDir(t), env: map[string]string{}}
	l.runUser, l.tmp = filepath.Join(l.base, "run"), filepath.Join(l.base, "tmp")
	require.NoError(t, os.Mkdir(l.runUser, 0o755))
	require.NoError(t, os.Mkdir(l.tmp, 0o700))
	require.NoError(t, os.Chmod(l.tmp, 0o777|fs.ModeSticky))
	return l
}

func (l *layout) mkdir(t *testing.T, path string, mode fs.FileMode) string {
	dir := filepath.Join(l.base, path)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.Chmod(dir, mode))
	return dir
}

// check compares Where, before and after the directory was made, with where the lock comes to be.
func (l *layout) check(t *testing.T, dir, source string) *unique.Location {
	t.Helper()
	before, err := unique.WhereIn(l.env, l.runUser, l.tmp, "x", nil)
	require.NoError(t, err)
	require.Equal(t, dir, before.Dir)
	require.Equal(t, source, before.Source)
	s, err := unique.OpenSiteIn(l.env, l.runUser, l.tmp, "x", nil)
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, dir, s.Dir())
	fi, err := os.Lstat(dir)
	require.NoError(t, err)
	require.Equal(t, fs.ModeDir|0o700, fi.Mode())
	after, err := unique.WhereIn(l.env, l.runUser, l.tmp, "x", nil)
	require.NoError(t, err)
	require.Equal(t, before, after)
	return after
}

func TestOrderOfDirectories(t *testing.T) {
	uid := strconv.Itoa(os.Geteuid())
	t.Run("nothing is set", func(t *testing.T) { // cron on a host without a session
		l := newLayout(t)
		l.check(t, filepath.Join(l.tmp, "solomq-"+uid), "the system's temporary directory")
	})
	t.Run("TMPDIR changes nothing", func(t *testing.T) {
		l := newLayout(t)
		l.env["TMPDIR"] = l.mkdir(t, "mine", 0o700)
		l.check(t, filepath.Join(l.tmp, "solomq-"+uid), "the system's temporary directory")
	})
	t.Run("TMPDIR if there is nothing else", func(t *testing.T) {
		l := newLayout(t)
		require.NoError(t, os.Chmod(l.tmp, 0o777)) // not sticky
		l.env["TMPDIR"] = l.mkdir(t, "mine", 0o700)
		where := l.check(t, filepath.Join(l.env["TMPDIR"], "solomq-"+uid), "$TMPDIR")
		require.Len(t, where.Skipped, 2)
		require.ErrorIs(t, where.Skipped[0].Err, fs.ErrNotExist)
		require.ErrorIs(t, where.Skipped[1].Err, unique.ErrUnsafeDir)
		require.Contains(t, where.String(), "is writable by its group and others (mode 0777) and not sticky")
	})
	t.Run("runtime directory of the uid", func(t *testing.T) { // su, sudo, ssh, cron beside a session
		l := newLayout(t)
		run := l.mkdir(t, "run/"+uid, 0o700)
		l.check(t, filepath.Join(run, "solomq"), "the runtime directory of the user id")
	})
	t.Run("XDG_RUNTIME_DIR", func(t *testing.T) {
		l := newLayout(t)
		run := l.mkdir(t, "run/"+uid, 0o700)
		l.env["XDG_RUNTIME_DIR"] = run
		l.check(t, filepath.Join(run, "solomq"), "$XDG_RUNTIME_DIR")
		l.env["XDG_RUNTIME_DIR"] = run + "/./"
		l.check(t, filepath.Join(run, "solomq"), "$XDG_RUNTIME_DIR")
	})
	t.Run("relative XDG_RUNTIME_DIR", func(t *testing.T) { // to be ignored, says its specification
		l := newLayout(t)
		t.Chdir(l.base)
		l.mkdir(t, "rel", 0o700)
		l.env["XDG_RUNTIME_DIR"] = "rel"
		l.check(t, filepath.Join(l.tmp, "solomq-"+uid), "the system's temporary directory")
	})
	t.Run("unsafe XDG_RUNTIME_DIR", func(t *testing.T) {
		l := newLayout(t)
		l.env["XDG_RUNTIME_DIR"] = l.mkdir(t, "open", 0o755)
		run := l.mkdir(t, "run/"+uid, 0o700)
		where := l.check(t, filepath.Join(run, "solomq"), "the runtime directory of the user id")
		require.Len(t, where.Skipped, 1)
		require.Equal(t, "$XDG_RUNTIME_DIR", where.Skipped[0].Source)
		require.Equal(t, filepath.Join(l.base, "open", "solomq"), where.Skipped[0].Dir)
		require.ErrorIs(t, where.Skipped[0].Err, unique.ErrUnsafeDir)
		require.Contains(t, where.String(), filepath.Join(l.base, "open")+" is not safe: is open to its group and others (mode 0755, want 0700)")
	})
	t.Run("symlinked XDG_RUNTIME_DIR", func(t *testing.T) {
		l := newLayout(t)
		l.mkdir(t, "real", 0o700)
		l.env["XDG_RUNTIME_DIR"] = filepath.Join(l.base, "link")
		require.NoError(t, os.Symlink("real", l.env["XDG_RUNTIME_DIR"]))
		where := l.check(t, filepath.Join(l.tmp, "solomq-"+uid), "the system's temporary directory")
		require.Contains(t, where.Skipped[0].Err.Error(), "is a symbolic link")
	})
	t.Run("symlink planted in it", func(t *testing.T) {
		l := newLayout(t)
		l.env["XDG_RUNTIME_DIR"] = l.mkdir(t, "xdg", 0o700)
		require.NoError(t, os.Symlink(l.tmp, filepath.Join(l.base, "xdg", "solomq")))
		where := l.check(t, filepath.Join(l.tmp, "solomq-"+uid), "the system's temporary directory")
		require.Contains(t, where.Skipped[0].Err.Error(), "is a symbolic link")
	})
	t.Run("another user's XDG_RUNTIME_DIR", func(t *testing.T) { // su without a new session
		needRoot(t)
		l := newLayout(t)
		l.env["XDG_RUNTIME_DIR"] = l.mkdir(t, "run/1", 0o700)
		require.NoError(t, os.Chown(l.env["XDG_RUNTIME_DIR"], nobody, -1))
		where := l.check(t, filepath.Join(l.tmp, "solomq-"+uid), "the system's temporary directory")
		require.Contains(t, where.Skipped[0].Err.Error(), fmt.Sprintf("belongs to uid %d, not to uid %d", nobody, os.Geteuid()))
	})
	t.Run("squatted temporary directory", func(t *testing.T) {
		needRoot(t)
		l := newLayout(t)
		squat := l.mkdir(t, "tmp/solomq-"+uid, 0o700)
		require.NoError(t, os.Chown(squat, nobody, -1))
		_, err := unique.WhereIn(l.env, l.runUser, l.tmp, "x", nil)
		require.ErrorIs(t, err, unique.ErrUnsafeDir)

		// That keeps nobody from running who has a home.
		l.env["HOME"] = l.mkdir(t, "home", 0o755)
		where := l.check(t, filepath.Join(l.env["HOME"], ".solomq"), "$HOME")
		require.Contains(t, where.Skipped[len(where.Skipped)-1].Err.Error(), fmt.Sprintf("belongs to uid %d", nobody))
		require.NoError(t, os.Chmod(l.env["HOME"], 0o777))
		_, err = unique.WhereIn(l.env, l.runUser, l.tmp, "x", nil)
		require.ErrorIs(t, err, unique.ErrUnsafeDir, "but not in one that others may write to")
		require.ErrorContains(t, err, fmt.Sprintf("%s is not safe: belongs to uid %d", squat, nobody))
		require.ErrorContains(t, err, "Options.Dir")
	})
	t.Run("XDG_RUNTIME_DIR without a place for ours", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may write everywhere")
		}
		l := newLayout(t)
		l.env["XDG_RUNTIME_DIR"] = l.mkdir(t, "xdg", 0o500)
		where := l.check(t, filepath.Join(l.tmp, "solomq-"+uid), "the system's temporary directory")
		require.ErrorIs(t, where.Skipped[0].Err, fs.ErrPermission)
	})
	t.Run("Flatpak", func(t *testing.T) {
		l := newLayout(t)
		l.env["XDG_RUNTIME_DIR"] = l.mkdir(t, "run/"+uid, 0o700)
		l.env["FLATPAK_ID"] = "org.example.App"
		own := l.mkdir(t, "run/"+uid+"/app/org.example.App", 0o700)
		l.check(t, filepath.Join(own, "solomq"), "$XDG_RUNTIME_DIR/app/$FLATPAK_ID")
	})
	t.Run("FLATPAK_ID from outside", func(t *testing.T) {
		l := newLayout(t)
		l.env["XDG_RUNTIME_DIR"] = l.mkdir(t, "run/"+uid, 0o700)
		l.env["FLATPAK_ID"] = "org.example.App" // inherited: the directory is not there
		where := l.check(t, filepath.Join(l.env["XDG_RUNTIME_DIR"], "solomq"), "$XDG_RUNTIME_DIR")
		require.Len(t, where.Skipped, 1)
		l.env["FLATPAK_ID"] = "../../evil"
		require.Empty(t, l.check(t, filepath.Join(l.env["XDG_RUNTIME_DIR"], "solomq"), "$XDG_RUNTIME_DIR").Skipped)
	})
	t.Run("Snap", func(t *testing.T) {
		l := newLayout(t)
		l.env["SNAP"] = "/snap/app/1"
		l.env["XDG_RUNTIME_DIR"] = filepath.Join(l.mkdir(t, "run/"+uid, 0o700), "snap.app") // made by nobody yet
		s, err := unique.OpenSiteIn(l.env, l.runUser, l.tmp, "x", nil)
		require.NoError(t, err)
		require.Equal(t, filepath.Join(l.env["XDG_RUNTIME_DIR"], "solomq"), s.Dir())
		l.check(t, filepath.Join(l.env["XDG_RUNTIME_DIR"], "solomq"), "the Snap's $XDG_RUNTIME_DIR")
	})
	t.Run("no place at all", func(t *testing.T) {
		l := newLayout(t)
		require.NoError(t, os.RemoveAll(l.tmp))
		_, err := unique.WhereIn(l.env, l.runUser, l.tmp, "x", nil)
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, "unique: no safe directory")
	})
}

// alive reports whether there is a process pid.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
