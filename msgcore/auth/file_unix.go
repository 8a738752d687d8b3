//go:build unix

package auth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFile does not wait if path turns out to be a pipe.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// guarded reports why what a file says cannot be trusted.
func guarded(info fs.FileInfo, secret bool) error {
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("others than its owner may write to it (mode %#o): whoever does could let themselves in", mode)
	} else if secret && mode&0o004 != 0 {
		return fmt.Errorf("everybody may read the hashes in it (mode %#o): make it 0600, or 0640 for a group", mode)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() && st.Uid != 0 {
		return errors.New("it belongs to another user, who could let themselves in")
	}
	return nil
}
