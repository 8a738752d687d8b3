//go:build unix

package unique

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxLinks bounds the symbolic links on the way to a directory, as the kernel does.
const maxLinks = 40

// secure checks that nobody but this user and root can change where dir leads to or what is in it. It walks from the
// root down, so that each name it looks at can no longer be exchanged by others; therefore paths below dir need no
// further care. Links on the way are followed (/tmp is one on macOS) if root or this user made them; dir itself must
// not be one, unless it is shared. With create, missing directories are made.
func (su *surroundings) secure(dir string, shared, create bool) error {
	return insistOn(create, func() error { return su.walk(dir, shared, create) })
}

func (su *surroundings) walk(dir string, shared, create bool) error {
	at, rest := "/", split(dir)
	if err := su.checkAncestor(dir, at); err != nil {
		return err
	}
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case ".":
			continue
		case "..":
			at = filepath.Dir(at) // at has no links in it by now
			continue
		}
		next := filepath.Join(at, name)
		fi, err := os.Lstat(next)
		if create && errors.Is(err, fs.ErrNotExist) {
			if err = makePrivate(next); err == nil {
				fi, err = os.Lstat(next)
			}
		}
		if err != nil {
			return err
		}
		last := len(rest) == 0
		if fi.Mode()&fs.ModeSymlink != 0 {
			if last && !shared {
				return unsafeDir(dir, next, "is a symbolic link")
			}
			if owner := ownerOf(fi); owner != 0 && owner != su.uid {
				return unsafeDir(dir, next, "is a symbolic link that belongs to uid %d, neither to root nor to uid %d", owner, su.uid)
			}
			if links++; links > maxLinks {
				return unsafeDir(dir, next, "leads through more than %d symbolic links", maxLinks)
			}
			target, err := os.Readlink(next)
			if err != nil {
				return err
			}
			if filepath.IsAbs(target) {
				at = "/"
			}
			rest = append(split(target), rest...)
			continue
		}
		at = next
		if last && !shared {
			return checkPrivate(at, su.uid)
		}
		if err := su.judgeAncestor(dir, at, fi); err != nil {
			return err
		}
	}
	if !shared {
		return checkPrivate(at, su.uid) // dir is the root or a name for it
	}
	return nil
}

func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func (su *surroundings) checkAncestor(dir, at string) error {
	fi, err := os.Lstat(at)
	if err != nil {
		return err
	}
	return su.judgeAncestor(dir, at, fi)
}

// judgeAncestor refuses a directory in which another user could exchange the next component.
func (su *surroundings) judgeAncestor(dir, at string, fi fs.FileInfo) error {
	if !fi.IsDir() {
		return unsafeDir(dir, at, "is not a directory (%s)", fi.Mode().Type())
	}
	if owner := ownerOf(fi); owner != 0 && owner != su.uid {
		return unsafeDir(dir, at, "belongs to uid %d, neither to root nor to uid %d", owner, su.uid)
	}
	if perm := fi.Mode().Perm(); perm&0o022 != 0 && fi.Mode()&fs.ModeSticky == 0 {
		return unsafeDir(dir, at, "is writable by %s (mode %#o) and not sticky", classes(perm&0o022), perm)
	}
	return nil
}

// checkPrivate judges the directory at path by descriptor: what was opened is what was checked.
func checkPrivate(path string, uid int) error {
	fd, err := open(path)
	switch {
	case errors.Is(err, unix.ELOOP), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.EMLINK):
		fi, err := os.Lstat(path)
		switch {
		case err != nil:
			return err
		case fi.Mode()&fs.ModeSymlink != 0:
			return unsafeDir(path, path, "is a symbolic link")
		case !fi.IsDir():
			return unsafeDir(path, path, "is not a directory (%s)", fi.Mode().Type())
		}
		return unsafeDir(path, path, "changed while it was being opened")
	case errors.Is(err, unix.EACCES):
		// Not ours, most likely, and then that is the reason to give.
		if fi, serr := os.Lstat(path); serr == nil && ownerOf(fi) != uid {
			return unsafeDir(path, path, "belongs to uid %d, not to uid %d", ownerOf(fi), uid)
		}
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &fs.PathError{Op: "fstat", Path: path, Err: err}
	}
	if int(st.Uid) != uid {
		return unsafeDir(path, path, "belongs to uid %d, not to uid %d", st.Uid, uid)
	}
	if perm := fs.FileMode(st.Mode & 0o777); perm&0o077 != 0 {
		return unsafeDir(path, path, "is open to %s (mode %#o, want 0700)", classes(perm&0o077), perm)
	}
	return nil
}

func open(path string) (fd int, err error) {
	for {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

func ownerOf(fi fs.FileInfo) int {
	return int(fi.Sys().(*syscall.Stat_t).Uid)
}

// classes names those who have any of the bits of perm.
func classes(perm fs.FileMode) string {
	switch group, other := perm&0o070 != 0, perm&0o007 != 0; {
	case group && other:
		return "its group and others"
	case group:
		return "its group"
	default:
		return "others"
	}
}
