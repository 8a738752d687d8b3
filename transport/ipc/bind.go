//go:build unix || windows

package ipc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// removeWait bounds how long Close waits for the lock of a directory that
// others use as well: it is held for microseconds unless its holder is stopped.
const removeWait = time.Second

// A state is what probe finds out about a socket file.
type state int

const (
	unclear state = iota // the error says why
	live                 // a process has it open
	stale                // no process has it open
	gone                 // there is no such file any more
)

// A socketFile is a socket file that we made.
type socketFile struct {
	path string      // absolute: the working directory may change
	info fs.FileInfo // tells it from any other file of that name
}

// listenPath listens on path, removing a stale socket file.
func listenPath(ctx context.Context, path string, backlog int) (*listener, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(ctx, abs)
	if err != nil {
		return nil, err
	}
	defer lock.unlock()
	ln, err := listenSocket(path, backlog)
	if addrInUse(err) {
		if err := clearStale(ctx, abs, path, lock); err != nil {
			return nil, err
		}
		ln, err = listenSocket(path, backlog)
	}
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false) // by name alone it might be another's
	info, err := os.Lstat(abs)
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("the socket file vanished: %w", err)
	}
	// On Windows, a FileInfo finds out which file it is when it is first
	// asked, by name.
	os.SameFile(info, info)
	return &listener{UnixListener: ln, file: &socketFile{path: abs, info: info}}, nil
}

// clearStale removes the socket file abs if no process has it open, and else
// says what is in the way. path is the same file as the user wrote it, which is
// short enough to connect to.
func clearStale(ctx context.Context, abs, path string, lock *dirLock) error {
	info, err := os.Lstat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // gone in this moment
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("the path exists and is not a socket (%s): %w", info.Mode(), syscall.EADDRINUSE)
	}
	switch is, err := probe(ctx, path); {
	case is == gone:
		return nil
	case is == live:
		return fmt.Errorf("a live process listens there: %w", syscall.EADDRINUSE)
	case is == unclear:
		return fmt.Errorf("cannot tell whether the socket file is stale (%w): %w", err, syscall.EADDRINUSE)
	case lock.failed != nil:
		return fmt.Errorf("the socket file is stale, but without the lock of its directory (%w) only you can safely remove it: %w", lock.failed, syscall.EADDRINUSE)
	}
	if now, err := os.Lstat(abs); err != nil || !os.SameFile(info, now) {
		return nil // somebody who takes no lock was faster; bind will tell
	}
	if err := os.Remove(abs); err != nil {
		return fmt.Errorf("the socket file is stale and cannot be removed (%w): %w", err, syscall.EADDRINUSE)
	}
	return nil
}

// remove removes the file if it still is the one we made. The socket must not
// have been closed yet.
func (f *socketFile) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), removeWait)
	defer cancel()
	lock, err := lockDir(ctx, f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // with its directory
	}
	if err != nil {
		return fmt.Errorf("the socket file %s is left behind: %w", f.path, err)
	}
	// A directory that cannot be locked (lock.failed) is one where nobody
	// replaces files: ours is ours.
	defer lock.unlock()
	now, err := os.Lstat(f.path)
	if err != nil || !os.SameFile(f.info, now) {
		return nil // removed, or a successor's
	}
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
