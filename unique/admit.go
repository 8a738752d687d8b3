package unique

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/solomq/solomq/transport"
)

// A trust decides about the process at the other end of a connection, which the kernel describes. The zero trust, and nil,
// admit processes of our own user only, in a directory of our own.
type trust struct {
	admit func(Peer) error // Options.Admit
	owner int              // of the directory
}

// trust returns whom the processes in s trust.
func (s *site) trust() *trust { return &trust{s.admit, s.owner} }

// caller judges whoever connects to us.
func (t *trust) caller(c transport.Cred) error {
	if t == nil || t.admit == nil || c.UID == os.Geteuid() {
		return sameUser(c)
	}
	return t.ask(c)
}

// server judges whoever we have connected to: in a directory that another user owns, only that one can be the primary.
func (t *trust) server(c transport.Cred) error {
	if t == nil || t.admit == nil || t.owner == os.Geteuid() {
		return sameUser(c)
	}
	if c.UID != t.owner {
		return &OtherUserError{PID: c.PID, UID: c.UID, Want: t.owner}
	}
	return t.ask(c)
}

func (t *trust) ask(c transport.Cred) error {
	if err := t.admit(Peer{PID: c.PID, UID: c.UID, GID: c.GID}); err != nil {
		return fmt.Errorf("%w (Options.Admit: %w)", &OtherUserError{PID: c.PID, UID: c.UID, Want: os.Geteuid()}, err)
	}
	return nil
}

// foreign reports whether s is another user's, so that we cannot be its primary.
func (s *site) foreign() bool { return s.admit != nil && s.owner != s.su.uid }

// share gives a file of an open directory the permissions that the directory has for others, as far as bits goes: whoever
// may enter may read the record and connect to a socket.
func (s *site) share(path string, bits os.FileMode) error {
	if s.admit == nil {
		return nil
	}
	dir, err := os.Stat(s.dir)
	if err != nil {
		return err
	}
	mode := os.FileMode(0o600)
	for _, class := range []uint{3, 0} { // group, others
		if dir.Mode().Perm()>>class&0o1 != 0 {
			mode |= bits << class
		}
	}
	return os.Chmod(path, mode)
}

// shareSocket is share for the socket at an endpoint, if that is one of ipc.
func (s *site) shareSocket(endpoint string) error {
	path, ok := strings.CutPrefix(endpoint, "ipc://")
	if !ok {
		return nil
	}
	err := s.share(path, 0o6)
	if room := filepath.Dir(path); err == nil && s.admit != nil && room != s.dir {
		err = s.shareRoom(room)
	}
	if err != nil {
		return fmt.Errorf("unique: the socket cannot be opened for other users: %w", err)
	}
	return nil
}

// shareRoom lets those into the directory of the sockets who may enter the one above it.
func (s *site) shareRoom(room string) error {
	dir, err := os.Stat(s.dir)
	if err != nil {
		return err
	}
	return os.Chmod(room, 0o700|dir.Mode().Perm()&0o011)
}
