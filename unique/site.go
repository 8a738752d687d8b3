package unique

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"sync"
)

// maxSocketPath is the longest path of a socket that every system accepts: BSD and macOS have 104 bytes with the
// terminating zero, Linux and Windows 108. Some room is left for temporary names beside it.
const maxSocketPath = 103

// A site is the checked directory and the names of one application id inside it. The names are hashes, so that an id may
// have any length and any bytes.
type site struct {
	place place
	dir   string // absolute
	id    string
	parts []string // the id and, unless it is the user's, its scope
	name  string   // hash of parts: the beginning of every file name
	su    *surroundings
	admit func(Peer) error // Options.Admit
	owner int              // of dir: us, unless admit is set

	mu      sync.Mutex
	sockets string // guarded by mu: the private directory that replaces socketDir, if deep and we are the primary
	witness int    // guarded by mu: the process that keeps us from an election that is won, if any
}

// openSite finds the directory for id, makes it if necessary and checks it.
func openSite(id string, o *Options) (*site, error) {
	s, _, err := findSite(hostSurroundings(), id, o, true)
	return s, err
}

func findSite(su *surroundings, id string, o *Options, create bool) (*site, []Skipped, error) {
	if lockSupport != nil {
		return nil, nil, lockSupport
	}
	if id == "" {
		return nil, nil, errors.New("unique: the application id is empty; use a name that is yours, such as com.example.editor")
	}
	explicit := ""
	var admit func(Peer) error
	if o != nil {
		explicit, admit = o.Dir, o.Admit
	}
	su.open = admit != nil
	p, skipped, err := su.choose(explicit, create)
	if err != nil {
		return nil, skipped, err
	}
	key, err := su.scopeKey(o)
	if err != nil {
		return nil, skipped, err
	}
	parts := []string{id}
	if key != "" {
		parts = append(parts, o.Scope.String(), key)
	}
	s := &site{place: p, dir: p.dir(), id: id, parts: parts, name: hashName("id", parts...), su: su, admit: admit, owner: su.uid}
	if p.open {
		if owner, err := checkOpen(s.dir); err == nil { // else it does not exist yet, and will be ours
			s.owner = owner
		}
	}
	return s, skipped, nil
}

// restore makes the directory anew and checks it again after it was found missing: something that cleans up runtime
// directories has been there.
func (s *site) restore() error {
	if err := s.su.enter(s.place, true); err != nil {
		return because("a directory was removed and cannot be made again", err)
	}
	return nil
}

// close forgets the site. It gives back no lock: those have owners of their own.
func (s *site) close() {}

func (s *site) gatePath() string   { return filepath.Join(s.dir, s.name+".gate") }
func (s *site) lockPath() string   { return filepath.Join(s.dir, s.name+".lock") }
func (s *site) startPath() string  { return filepath.Join(s.dir, s.name+".start") }
func (s *site) recordPath() string { return filepath.Join(s.dir, s.name+".primary") }
func (s *site) draftPath() string  { return filepath.Join(s.dir, s.name+".draft") }
func (s *site) roomPath() string   { return filepath.Join(s.dir, s.name+".sockets") }

// secretSuffix is how the names of certificates with a secret key end.
const secretSuffix = "_secret"

// clientKeyPath is the file with the key by which secondaries are known on tcp; beside it stands the one with the public
// half, without the suffix.
func (s *site) clientKeyPath() string { return filepath.Join(s.dir, s.name+".client"+secretSuffix) }

// portPath is where the port of a channel on tcp is written.
func (s *site) portPath(channel string) string {
	return filepath.Join(s.dir, s.channelName(channel)+".port")
}

// socketDir is where sockets are. It is not dir itself: that one is locked while
// there is a primary, and so is a directory while a socket is bound in it.
func (s *site) socketDir() string { return filepath.Join(s.dir, "s") }

// deep reports whether the directory is too long for sockets.
func (s *site) deep() bool { return len(s.socketIn(s.socketDir(), "")) > maxSocketPath }

// controlPaths are the paths of the control endpoint, the first one as a rule.
func (s *site) controlPaths() []string {
	return []string{s.socketPath(""), filepath.Join(s.channelDir(), hashName("second", s.parts...)+".sock")}
}

// socketIn is the socket of channel in dir; all channels' names have one length.
func (s *site) socketIn(dir, channel string) string {
	name := s.name
	if channel != "" {
		name = s.channelName(channel)
	}
	return filepath.Join(dir, name+".sock")
}

// socketPath is where the primary binds channel; "" is the control endpoint. It is for the holder of a tenure only: in a
// directory that is too long for sockets, elect makes another for them, which the others find in the record.
func (s *site) socketPath(channel string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sockets != "" {
		return s.socketIn(s.sockets, channel)
	}
	return s.socketIn(s.socketDir(), channel)
}

// channelPath is where the primary that published r has bound channel.
func (s *site) channelPath(r record, channel string) string {
	return s.socketIn(r.ChannelDir, channel)
}

// hashName makes a file name of 32 characters from parts; no two lists of parts give the same input to the hash.
func hashName(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range append([]string{kind}, parts...) {
		var n [8]byte
		for i := range n {
			n[i] = byte(uint64(len(p)) >> (8 * i))
		}
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// channelName is the beginning of the name of a channel's files.
func (s *site) channelName(channel string) string {
	return hashName("channel", append(s.parts[:len(s.parts):len(s.parts)], channel)...)
}
