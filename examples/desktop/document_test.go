package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestReadTakesTextOnly(t *testing.T) {
	d := read(write(t, "a.txt", "grüß\n"))
	require.NoError(t, d.err)
	require.Equal(t, "grüß\n", d.text)

	for name, text := range map[string]string{"zero": "a\x00b", "not UTF-8": "\xff\xfe"} {
		require.ErrorContains(t, read(write(t, "b", text)).err, "not a text file", name)
	}
	full := strings.Repeat("x", maxText)
	require.NoError(t, read(write(t, "c", full)).err)
	require.ErrorContains(t, read(write(t, "c", full+"x")).err, "too large")
	require.ErrorContains(t, read(t.TempDir()).err, "not a file")
	require.ErrorIs(t, read(filepath.Join(t.TempDir(), "none")).err, fs.ErrNotExist)
}

func TestCreateNeverEmptiesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new")
	require.Equal(t, document{path: path}, create(path))
	require.FileExists(t, path)
	require.NoError(t, os.WriteFile(path, []byte("kept"), 0o600))
	require.Equal(t, document{path: path, text: "kept"}, create(path))
	require.Error(t, create(filepath.Join(path, "below a file")).err)
}

func TestCutRune(t *testing.T) {
	for _, tc := range [][2]string{{"", ""}, {"a", ""}, {"aü", ""}, {"a", "\xc3"}, {"", "\xe2\x82"}, {"", "\xf0\x9f\x98"}, {"😀", ""}, {"\x80\x80\x80\x80", ""}, {"a\xff", ""}} {
		whole, rest := cutRune([]byte(tc[0] + tc[1]))
		require.Equal(t, tc, [2]string{string(whole), string(rest)})
	}
}
