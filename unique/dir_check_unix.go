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
		if len(rest) == 0 && !shared {
			return checkLeaf(next, su.uid, create)
		}
		var st unix.Stat_t
		err := lstat(next, &st)
		if create && errors.Is(err, fs.ErrNotExist) {
			if err = makePrivate(next); err == nil {
				err = lstat(next, &st)
			}
		}
		if err != nil {
			return err
		}
		if isOf(&st, unix.S_IFLNK) {
			if owner := int(st.Uid); owner != 0 && owner != su.uid {
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
		if err := su.judgeAncestor(dir, at, &st); err != nil {
			return err
		}
	}
	if !shared {
		return checkPrivate(at, su.uid) // dir is the root or a name for it
	}
	return nil
}

// checkLeaf is checkPrivate for what may have to be made.
func checkLeaf(path string, uid int, create bool) error {
	err := checkPrivate(path, uid)
	if create && errors.Is(err, fs.ErrNotExist) {
		if err = makePrivate(path); err == nil {
			err = checkPrivate(path, uid)
		}
	}
	return err
}

func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func (su *surroundings) checkAncestor(dir, at string) error {
	var st unix.Stat_t
	if err := lstat(at, &st); err != nil {
		return err
	}
	return su.judgeAncestor(dir, at, &st)
}

// lstat is os.Lstat for a few directories in each launch: it allocates nothing.
func lstat(path string, st *unix.Stat_t) error {
	for {
		switch err := unix.Lstat(path, st); {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EINTR):
			return &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
	}
}

// isOf reports whether st is of that type, one of unix.S_IFMT.
func isOf(st *unix.Stat_t, kind uint32) bool { return uint32(st.Mode)&unix.S_IFMT == kind }

// judgeAncestor refuses a directory in which another user could exchange the next component.
func (su *surroundings) judgeAncestor(dir, at string, st *unix.Stat_t) error {
	if !isOf(st, unix.S_IFDIR) {
		return unsafeDir(dir, at, "is not a directory")
	}
	if owner := int(st.Uid); owner != 0 && owner != su.uid {
		return unsafeDir(dir, at, "belongs to uid %d, neither to root nor to uid %d", owner, su.uid)
	}
	if perm := fs.FileMode(st.Mode & 0o777); perm&0o022 != 0 && st.Mode&unix.S_ISVTX == 0 {
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
