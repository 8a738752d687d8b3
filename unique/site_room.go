package unique

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A room is the private directory for sockets of a primary whose own directory is too long for them. Its name is random,
// so nobody can be there first; it is written down beside the lock before it is made, so that the next primary can
// remove what a killed one has left.

const roomPrefix = "solomq-s-"

// channelDir is the directory of the sockets of the primary, which is us.
func (s *site) channelDir() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sockets != "" {
		return s.sockets
	}
	return s.socketDir()
}

// makeRoom makes the private directory. Only the holder of the lock may call it.
func (s *site) makeRoom() error {
	var tried []error
	for _, next := range s.su.places {
		p, ok := next(s.su)
		if !ok {
			continue
		}
		var random [8]byte
		if _, err := rand.Read(random[:]); err != nil {
			return fmt.Errorf("unique: no random name for the directory of the sockets: %w", err)
		}
		room := filepath.Join(p.base, roomPrefix+hex.EncodeToString(random[:]))
		if len(s.socketIn(room, "")) > maxSocketPath {
			continue
		}
		err := s.su.secure(p.base, p.shared, false)
		if err == nil {
			err = s.makeRoomAt(room)
		}
		if err == nil {
			s.mu.Lock()
			s.sockets = room
			s.mu.Unlock()
			return nil
		}
		tried = append(tried, err)
	}
	return fmt.Errorf("unique: %s is too long for sockets, and there is no other place for them: %w", s.dir, errors.Join(tried...))
}

func (s *site) makeRoomAt(room string) error {
	if err := writeOwnFile(s.roomPath(), s.draftPath(), []byte(room)); err != nil {
		return err
	}
	err := os.Mkdir(room, 0o700) // must be new: makePrivate would take one that exists
	if err == nil {
		err = checkPrivate(room, s.su.uid)
	}
	if err != nil {
		_ = os.Remove(s.roomPath())
	}
	return err
}

// clearRoom removes our private directory when we leave. What cannot be removed now is tried again by the next primary.
func (s *site) clearRoom() {
	s.mu.Lock()
	room := s.sockets
	s.sockets = ""
	s.mu.Unlock()
	if room == "" || !removeRoom(room, s.su.uid) {
		return
	}
	// A successor has written down its own.
	if data, err := readOwnFile(s.roomPath(), s.su.uid, maxRecord); err == nil && string(data) == room {
		_ = os.Remove(s.roomPath())
	}
}

// sweepRoom removes the private directory that is written down, if any. Only the holder of the lock may call it.
func (s *site) sweepRoom() {
	data, err := readOwnFile(s.roomPath(), s.su.uid, maxRecord)
	if err != nil {
		return
	}
	if room := string(data); removeRoom(room, s.su.uid) {
		_ = os.Remove(s.roomPath())
	}
}

// removeRoom removes the directory with the files in it and reports whether it is gone. It looks twice before it does: a
// path that was read from a file must not make us remove anything else.
func removeRoom(room string, uid int) bool {
	if !filepath.IsAbs(room) || filepath.Clean(room) != room || !strings.HasPrefix(filepath.Base(room), roomPrefix) {
		return true // none of ours: forget it
	}
	switch err := checkPrivate(room, uid); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrUnsafeDir):
		return true
	case err != nil:
		return false
	}
	entries, err := os.ReadDir(room)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if err := removeFile(filepath.Join(room, e.Name())); err != nil {
			return false
		}
	}
	return os.Remove(room) == nil
}
