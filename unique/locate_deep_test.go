//go:build unix

package unique_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// TestDeepDir: sockets have short paths wherever the directory is.
func TestDeepDir(t *testing.T) {
	l := newLayout(t)
	short, err := os.MkdirTemp("/tmp", "s")
	require.NoError(t, err)
	defer os.RemoveAll(short)
	l.env["XDG_RUNTIME_DIR"] = short
	deep := filepath.Join(l.base, strings.Repeat("d", 150), strings.Repeat("e", 150))
	o := &unique.Options{Dir: deep}
	require.Greater(t, len(deep), 300)

	open := func() *unique.Site {
		s, err := unique.OpenSiteIn(l.env, l.runUser, l.tmp, strings.Repeat("i", 4096), o)
		require.NoError(t, err)
		return s
	}
	where, err := unique.Where("x", o)
	require.NoError(t, err)
	require.True(t, where.Deep)

	primary, other := open(), open()
	won, err := primary.Elect(t.Context())
	require.NoError(t, err)
	require.NoError(t, won.Publish(unique.Record{Proto: 1, Endpoint: "ipc://" + primary.SocketPath("")}))

	r, err := other.ReadRecord()
	require.NoError(t, err)
	room := r.ChannelDir
	require.Equal(t, short, filepath.Dir(room))
	fi, err := os.Lstat(room)
	require.NoError(t, err)
	require.Equal(t, fs.ModeDir|0o700, fi.Mode())
	for _, channel := range []string{"", "events", strings.Repeat("c", 4096)} {
		path := primary.SocketPath(channel)
		require.Less(t, len(path), 104)
		require.Equal(t, room, filepath.Dir(path))
		require.Equal(t, path, other.ChannelPath(r, channel))
		require.NoError(t, os.WriteFile(path, nil, 0o600)) // stands for a socket
	}
	require.NoError(t, won.Release())
	require.NoDirExists(t, room)
	require.NoFileExists(t, primary.RoomPath())

	// The next one has a room of its own.
	won, err = primary.Elect(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, room, filepath.Dir(primary.SocketPath("")))
	require.NoError(t, won.Release())
	left, err := os.ReadDir(short)
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestRoomOfAKilledPrimary: it is removed by the next one; and nothing else is, whatever the note says.
func TestRoomOfAKilledPrimary(t *testing.T) {
	l := newLayout(t)
	short, err := os.MkdirTemp("/tmp", "s")
	require.NoError(t, err)
	defer os.RemoveAll(short)
	l.env["XDG_RUNTIME_DIR"] = short
	o := &unique.Options{Dir: filepath.Join(l.base, strings.Repeat("d", 200))}
	site, err := unique.OpenSiteIn(l.env, l.runUser, l.tmp, "x", o)
	require.NoError(t, err)

	left := filepath.Join(short, "solomq-s-0123456789abcdef")
	require.NoError(t, os.Mkdir(left, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(left, "a.sock"), nil, 0o600))
	precious := filepath.Join(short, "precious")
	require.NoError(t, os.Mkdir(precious, 0o700))
	file := filepath.Join(precious, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	link := filepath.Join(short, "solomq-s-link")
	require.NoError(t, os.Symlink(precious, link))

	for _, note := range []string{left, precious, link, link + "/", left + "/../precious", "", "solomq-s-relative", "\x00"} {
		require.NoError(t, os.WriteFile(site.RoomPath(), []byte(note), 0o600))
		won, err := site.Elect(t.Context())
		require.NoError(t, err)
		require.NoError(t, won.Release())
		require.NoDirExists(t, left)
		require.FileExists(t, file, "note %q", note)
		require.NoFileExists(t, site.RoomPath())
	}
}
