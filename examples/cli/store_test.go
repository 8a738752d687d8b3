package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestIDsGoOn(t *testing.T) {
	s := &store{t.TempDir()}
	take := func() int {
		id, err := s.nextID()
		require.NoError(t, err)
		return id
	}
	require.Equal(t, 1, take())
	require.Equal(t, 2, take())
	require.NoError(t, s.save(&record{ID: 6, State: done}))

	for _, broken := range []string{"", "x\n", "6\n", "-1\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, "next"), []byte(broken), 0o600))
		require.Equal(t, 7, take(), "after next held %q", broken)
		require.Equal(t, 8, take())
	}
	require.NoError(t, os.Remove(filepath.Join(s.dir, "next")))
	require.Equal(t, 1, take(), "there is no telling that it was lost, but job 1 is not on record")
}

func TestRecords(t *testing.T) {
	s := &store{t.TempDir()}
	want := record{
		ID: 2, State: done, Detached: true, Args: []string{"a b", "\n"}, Dir: "/", Code: 3, Note: "n",
		Queued: time.Unix(1, 2).UTC(), Started: time.Unix(3, 4).UTC(), Ended: time.Unix(5, 6).UTC(), Queue: "1/2",
	}
	require.NoError(t, s.save(&want))
	require.NoError(t, s.save(&record{ID: 10, State: running}))
	require.NoError(t, s.save(&record{ID: 9, State: queued}))
	require.NoError(t, os.WriteFile(s.path(11, ".json"), nil, 0o600)) // as a crash of the machine may leave it
	require.NoError(t, os.WriteFile(s.path(12, ".out"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "tmp-1"), nil, 0o600))

	got, err := s.records()
	require.NoError(t, err)
	require.Len(t, got, 4)
	require.Equal(t, want, got[0])
	require.Equal(t, []int{9, 10, 11}, []int{got[1].ID, got[2].ID, got[3].ID})
	require.Equal(t, lost, got[3].State)

	_, err = s.load(3)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "no job 3 on record")

	s.sweep()
	require.NoFileExists(t, filepath.Join(s.dir, "tmp-1"))
	info, err := os.Stat(s.path(2, ".json"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

func TestSpecIsTakenOnce(t *testing.T) {
	s := &store{t.TempDir()}
	want := spec{Args: raw([]string{"a\xff", ""}), Env: raw([]string{"X=\xfe"}), Dir: []byte("/\xfd"), Umask: 0o27}
	require.NoError(t, s.saveSpec(4, &want))
	require.True(t, s.hasSpec(4))
	got, err := s.loadSpec(4)
	require.NoError(t, err)
	require.Equal(t, &want, got)

	var took atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if s.takeSpec(4) == nil {
				took.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, took.Load())
	require.False(t, s.hasSpec(4))
}

func TestStateDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	t.Setenv("HOME", dir)
	s, err := openStore("x")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "state", "spool", "x"), s.dir)
	info, err := os.Stat(s.dir)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())

	t.Setenv("XDG_STATE_HOME", "relative")
	s, err = openStore("x")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, ".local", "state", "spool", "x"), s.dir)

	run := filepath.Join(dir, "run")
	require.NoError(t, os.Mkdir(run, 0o700))
	t.Setenv("XDG_RUNTIME_DIR", run)
	t.Setenv("XDG_STATE_HOME", "")
	for _, home := range []string{"", filepath.Join(dir, "file")} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
		t.Setenv("HOME", home)
		s, err = openStore("x")
		require.NoError(t, err)
		require.Contains(t, s.dir, run, "without a home")
	}
}
