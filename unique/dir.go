package unique

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// leafName is our directory inside a runtime directory that other programs use as well.
const leafName = "solomq"

// surroundings is what the choice of a directory depends on; tests make their own.
type surroundings struct {
	getenv  func(string) string
	uid     int    // the effective user id; -1 where users have no numbers
	runUser string // where runtime directories are, by user id
	tmp     string // the system's temporary directory
	places  []func(*surroundings) (place, bool)
	open    bool // Options.Admit: the directory is for other users, too
}

// A place is one candidate for the directory: base must be there and safe, leaf inside it is made when missing.
type place struct {
	source string // how a human finds the base: "$XDG_RUNTIME_DIR"
	base   string
	leaf   string // "" means that base itself is the directory
	shared bool   // base is a public directory such as /tmp: safe if sticky; else it must be private to us
	mkbase bool   // base is made when missing, with all its missing parents
	open   bool   // others than the owner may enter, who need not be us
}

func (p place) dir() string { return filepath.Join(p.base, p.leaf) }

// choose finds the directory in the order that Location documents. With create, what is missing is made (mode 0700).
// A place that is unsafe, absent or not to be written is passed over and listed; anything else (no descriptors left,
// a failing disk) is an error, because passing over for a passing reason would let two processes choose differently.
func (su *surroundings) choose(explicit string, create bool) (place, []Skipped, error) {
	if explicit != "" {
		abs, err := filepath.Abs(explicit)
		if err != nil {
			return place{}, nil, fmt.Errorf("unique: Options.Dir %q: %w", explicit, err)
		}
		p := place{source: "Options.Dir", base: abs, mkbase: true, open: su.open}
		err = su.enter(p, create)
		if err != nil && (create || !errors.Is(err, fs.ErrNotExist)) {
			return place{}, nil, because("Options.Dir cannot be used", err)
		}
		return p, nil, nil
	}
	var skipped []Skipped
	for _, next := range su.places {
		p, ok := next(su)
		if !ok {
			continue
		}
		err := su.enter(p, create)
		if err == nil {
			return p, skipped, nil
		}
		if !passable(err) {
			return place{}, skipped, because(p.source+" cannot be judged now", err)
		}
		skipped = append(skipped, Skipped{Dir: p.dir(), Source: p.source, Err: err})
	}
	return place{}, skipped, noDirError(skipped)
}

// passable reports whether err is a lasting property of a directory, so that every process judges it alike.
func passable(err error) bool {
	return errors.Is(err, ErrUnsafeDir) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || isReadOnly(err)
}

// enter checks the whole of p, and makes it if create is set. Without create, a leaf that does not exist yet is no error
// if it could be made: the answer to "which directory" is the same before and after the first launch.
func (su *surroundings) enter(p place, create bool) error {
	if p.open {
		return su.secureOpen(p.base, create)
	}
	if err := su.secure(p.base, p.shared, p.mkbase && create); err != nil {
		return err
	}
	if p.leaf == "" {
		return nil
	}
	err := su.secureLeaf(p.dir(), create)
	if !create && errors.Is(err, fs.ErrNotExist) {
		return mayMakeIn(p.base)
	}
	return err
}

// secureOpen checks a directory that others may enter, and what is above it.
func (su *surroundings) secureOpen(dir string, create bool) error {
	parent := filepath.Dir(dir)
	if err := su.secure(parent, true, create); err != nil {
		return err
	}
	return insistOn(create, func() error {
		_, err := checkOpen(dir)
		if create && errors.Is(err, fs.ErrNotExist) {
			if err = makePrivate(dir); err == nil {
				_, err = checkOpen(dir)
			}
		}
		return err
	})
}

// secureLeaf checks a directory whose parent was found safe.
func (su *surroundings) secureLeaf(dir string, create bool) error {
	err := checkPrivate(dir, su.uid)
	if create && errors.Is(err, fs.ErrNotExist) {
		err = insistOn(create, func() error {
			if err := makePrivate(dir); err != nil {
				return err
			}
			return checkPrivate(dir, su.uid)
		})
	}
	if create && errors.Is(err, fs.ErrPermission) && mendMode(dir, 0o700) {
		err = checkPrivate(dir, su.uid)
	}
	return err
}

// insistOn repeats a check that makes what is missing, if what it has just made is gone again: somebody wipes the
// directory in this very moment.
func insistOn(create bool, check func() error) error {
	err := check()
	for tries := 1; create && tries < lockTries && errors.Is(err, fs.ErrNotExist); tries++ {
		err = check()
	}
	return err
}

// makePrivate makes one directory that only its owner can use; that it exists by now is fine.
func makePrivate(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	mendMode(dir, 0o700)
	return err
}

// mendMode gives the owner of a file that we have made the access that a umask took away (0277 and 0777 are seen in
// hardened scripts; others of us run into that before its maker can mend it). It reports whether it changed something.
func mendMode(path string, want fs.FileMode) bool {
	fi, err := os.Lstat(path)
	if err != nil || fi.Mode().Type()&^fs.ModeDir != 0 || fi.Mode().Perm()&0o700 >= want {
		return false
	}
	return os.Chmod(path, want) == nil // refused unless it is ours
}

// because adds what to errors of package os; those about unsafe directories say everything by themselves.
func because(what string, err error) error {
	if errors.Is(err, ErrUnsafeDir) {
		return err
	}
	return fmt.Errorf("unique: %s: %w", what, err)
}

func noDirError(skipped []Skipped) error {
	if len(skipped) == 0 {
		return errors.New("unique: no directory for this user's locks was found; name one with Options.Dir")
	}
	errs := make([]error, 0, len(skipped))
	for _, s := range skipped {
		errs = append(errs, fmt.Errorf("%s: %w", s.Source, s.Err))
	}
	return fmt.Errorf("unique: no safe directory for this user's locks; name one with Options.Dir: %w", errors.Join(errs...))
}

// unsafeDir says why dir must not be used; part is the component of it that is at fault, dir itself or one above it.
func unsafeDir(dir, part, format string, args ...any) error {
	reason := fmt.Sprintf(format, args...)
	if part != dir {
		reason += ", and it is above " + dir
	}
	return &UnsafeDirError{Path: part, Reason: reason}
}
