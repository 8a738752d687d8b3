package auth

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

const (
	maxUsersFile = 16 << 20 // bytes
	maxUserName  = 255      // of PLAIN
)

// users is the file of passwords.
type users struct {
	path string // "" for none
	seen stamp
	now  map[string]*hash
}

// A stamp tells one content of a file from another without reading it.
type stamp struct {
	time time.Time
	size int64
	id   fs.FileInfo // of the very file; nil if there is none
}

func stampOf(info fs.FileInfo) stamp { return stamp{info.ModTime(), info.Size(), info} }

func (s stamp) same(other stamp) bool {
	return s.id != nil && other.id != nil && s.time.Equal(other.time) && s.size == other.size && os.SameFile(s.id, other.id)
}

// fresh is how long a file must have been left alone for its time stamp to tell:
// those of file systems are coarse.
const fresh = 2 * time.Second

// settled returns s, or none if the file may have been changed since without a
// sign.
func (s stamp) settled() stamp {
	if s.id != nil && time.Since(s.time) < fresh {
		return stamp{}
	}
	return s
}

// refresh reads the file if it has changed. After an error, now is as it was, but
// empty if the file is gone.
func (u *users) refresh() error {
	if u.path == "" {
		return nil
	}
	info, err := os.Stat(u.path)
	if errors.Is(err, fs.ErrNotExist) {
		u.now, u.seen = nil, stamp{}
		return fmt.Errorf("auth: no users: %w", err)
	}
	if err == nil && u.seen.same(stampOf(info)) {
		return nil
	}
	text, seen, err := readGuarded(u.path, maxUsersFile, true)
	if err != nil {
		return fmt.Errorf("auth: no users: %w", err)
	}
	parsed, err := parseUsers(text)
	if err != nil {
		return fmt.Errorf("auth: %s: %w", u.path, err)
	}
	u.now, u.seen = parsed, seen.settled()
	return nil
}

// readGuarded reads a file that only its owner, who is us or root, can change; one
// with secrets must not be read by all either.
func readGuarded(path string, limit int64, secret bool) (string, stamp, error) {
	f, err := openFile(path)
	if err != nil {
		return "", stamp{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", stamp{}, err
	}
	bad := func(err error) error { return &fs.PathError{Op: "read", Path: path, Err: err} }
	switch {
	case !info.Mode().IsRegular():
		return "", stamp{}, bad(errors.New("not a regular file"))
	case info.Size() > limit:
		return "", stamp{}, bad(fmt.Errorf("it has %d bytes, the limit is %d", info.Size(), limit))
	}
	if err := guarded(info, secret); err != nil {
		return "", stamp{}, bad(err)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit))
	return string(b), stampOf(info), err
}

// parseUsers reads the lines of a file of users. Errors tell the line and quote
// nothing of it.
func parseUsers(text string) (map[string]*hash, error) {
	m := make(map[string]*hash)
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		name, hashed, ok := strings.Cut(line, ":")
		bad := func(why string) error { return fmt.Errorf("line %d: %s", number, why) }
		switch {
		case !ok:
			return nil, bad("it has no colon between a name and a hash")
		case name == "" || len(name) > maxUserName:
			return nil, bad(fmt.Sprintf("its name has %d bytes, want 1 to %d", len(name), maxUserName))
		case m[name] != nil:
			return nil, bad("its name stands in a line before")
		}
		h, err := parseHash(strings.TrimRight(hashed, " \t"))
		if err != nil {
			return nil, bad(err.Error())
		}
		m[name] = h
	}
	return m, nil
}
