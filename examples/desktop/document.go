package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// maxText is how large a text may be, in bytes: more would make the editor slow.
const maxText = 1 << 20

// A document is a text file as it was read.
type document struct {
	path string // empty for one that has no file yet
	name string // for its tab, if it has no file
	text string
	err  error // why it could not be read; fs.ErrNotExist if there is no such file
}

// read reads the text file at path.
func read(path string) document {
	text, err := readText(path)
	return document{path: path, text: text, err: err}
}

func readText(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular(): // to read a pipe or a device might never end
		return "", fmt.Errorf("%s is not a file", path)
	case info.Size() > maxText:
		return "", fmt.Errorf("%s has %d MiB, which is too large: the limit is %d MiB", path, info.Size()>>20, maxText>>20)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxText+1)) // it may grow
	switch {
	case err != nil:
		return "", err
	case len(b) > maxText:
		return "", fmt.Errorf("%s is too large: the limit is %d MiB", path, maxText>>20)
	case bytes.IndexByte(b, 0) >= 0 || !utf8.Valid(b):
		return "", fmt.Errorf("%s is not a text file", path)
	}
	return string(b), nil
}

// create makes an empty file at path, but never empties one that came into being
// meanwhile.
func create(path string) document {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, os.ErrExist) {
		return read(path)
	}
	if err == nil {
		err = f.Close()
	}
	return document{path: path, err: err}
}

// cutRune splits b before a character of UTF-8 whose rest has not arrived yet.
func cutRune(b []byte) (whole, rest []byte) {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if last := b[len(b)-n:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return b[:len(b)-n], last
			}
			break
		}
	}
	return b, nil
}
