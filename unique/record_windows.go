package unique

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// openRecord lets the file be replaced and removed while it is open, which os.Open does not.
func openRecord(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING,
		windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// foreign: a file that is about to be replaced or removed cannot be opened for a moment.
func foreign(err error) bool { return busyFile(err) }

func busyFile(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_DELETE_PENDING)
}

func replaceFile(from, to string) error {
	return insist(func() error { return os.Rename(from, to) })
}

func removeFile(path string) error {
	return insist(func() error { return os.Remove(path) })
}

// insist repeats what fails because somebody, a virus scanner above all, has the file open for a moment.
func insist(do func() error) error {
	deadline := time.Now().Add(2 * time.Second)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := do()
		if err == nil || !busyFile(err) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(wait)
	}
}

// ownerOf: see hostSurroundings.
func ownerOf(fs.FileInfo) int { return -1 }
