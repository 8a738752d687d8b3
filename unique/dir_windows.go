package unique

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// hostSurroundings are those of this process. Windows has no numbers for users; the folders below belong to one user
// by their access lists.
func hostSurroundings() *surroundings {
	return &surroundings{
		getenv: os.Getenv,
		uid:    -1,
		places: []func(*surroundings) (place, bool){localAppDataPlace, envLocalAppDataPlace, tempPlace},
	}
}

// localAppDataPlace asks the system, not the environment, so that every process of the user gets the same answer.
func localAppDataPlace(*surroundings) (place, bool) {
	base, err := windows.KnownFolderPath(windows.FOLDERID_LocalAppData, windows.KF_FLAG_DEFAULT)
	if err != nil || base == "" {
		return place{}, false
	}
	return place{source: "the user's local application data", base: base, leaf: leafName}, true
}

func envLocalAppDataPlace(su *surroundings) (place, bool) {
	base := su.getenv("LOCALAPPDATA")
	if !filepath.IsAbs(base) {
		return place{}, false
	}
	return place{source: "%LOCALAPPDATA%", base: base, leaf: leafName}, true
}

func tempPlace(*surroundings) (place, bool) {
	return place{source: "the user's temporary directory", base: os.TempDir(), leaf: leafName}, true
}

// secure checks that dir is a directory and no link. Who may write to it is decided by access lists that it inherits
// from the user's own folders; they are not judged here.
func (su *surroundings) secure(dir string, _, create bool) error {
	if create {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return checkPrivate(dir, su.uid)
}

func checkPrivate(dir string, _ int) error {
	fi, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case fi.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0:
		return unsafeDir(dir, dir, "is a link")
	case !fi.IsDir():
		return unsafeDir(dir, dir, "is not a directory")
	}
	return nil
}

func mayMakeIn(string) error { return nil }

func isReadOnly(err error) bool { return errors.Is(err, syscall.Errno(windows.ERROR_WRITE_PROTECT)) }
