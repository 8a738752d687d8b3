package zmtp

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The names of properties that have a meaning of their own.
const (
	SocketType  = "Socket-Type"
	Identity    = "Identity"
	Resource    = "Resource"
	UserID      = "User-Id"      // given by Config.Authorize, never by the peer
	PeerAddress = "Peer-Address" // given by this side, never by the peer
)

// wellKnown lists them: first those that libzmq sends first.
var wellKnown = []string{SocketType, Identity, Resource, UserID, PeerAddress}

// Properties is handshake metadata, such as Socket-Type and Identity, by name.
// Names are equal whatever their case; use Get where the case is not known.
// Properties from a peer carry the well-known names as the constants spell them
// and all others as they were sent.
type Properties map[string]string

// Get returns the value of name, in any case, or "" if there is none.
func (p Properties) Get(name string) string {
	if v, ok := p[name]; ok {
		return v
	}
	for k, v := range p {
		if sameName(k, name) {
			return v
		}
	}
	return ""
}

// AppendProperties appends p to dst as the data of a READY command (RFC 37):
// Socket-Type first, then Identity, then all others in the order of their names.
// p must be valid: Handshake checks Config.Properties before it sends them.
func AppendProperties(dst []byte, p Properties) []byte {
	rest := make([]string, 0, len(p))
	for name := range p {
		if name != SocketType && name != Identity {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	for _, name := range wellKnown[:2] {
		if v, ok := p[name]; ok {
			dst = appendProperty(dst, name, v)
		}
	}
	for _, name := range rest {
		dst = appendProperty(dst, name, p[name])
	}
	return dst
}

func appendProperty(dst []byte, name, value string) []byte {
	name = cut(name, maxName)
	dst = append(dst, byte(len(name)))
	dst = append(dst, name...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(value)))
	return append(dst, value...)
}

// ParseProperties reads the data of a READY command. The error is a
// *ProtocolError: data that ends within a property, an empty name, or a name that
// occurs twice in whatever case.
func ParseProperties(data []byte) (Properties, error) {
	p := make(Properties)
	seen := make(map[string]struct{}) // by key
	for len(data) > 0 {
		n := int(data[0])
		data = data[1:]
		if n == 0 {
			return nil, &ProtocolError{Rule: "property without a name"}
		}
		if len(data) < n+4 {
			return nil, &ProtocolError{Rule: "property that ends within its name or size"}
		}
		name, known := canonical(string(data[:n]))
		if !known {
			name = string(data[:n])
		}
		size := binary.BigEndian.Uint32(data[n:])
		data = data[n+4:]
		if uint64(size) > uint64(len(data)) {
			return nil, &ProtocolError{Rule: fmt.Sprintf("property %q of %d bytes in a command that has %d left", name, size, len(data))}
		}
		k := key(name)
		if _, twice := seen[k]; twice {
			return nil, &ProtocolError{Rule: fmt.Sprintf("property %q occurs twice", name)}
		}
		seen[k] = struct{}{}
		p[name] = string(data[:size])
		data = data[size:]
	}
	return p, nil
}

// canonical returns a well-known name as it is spelled, and no other.
func canonical(name string) (spelled string, ok bool) {
	for _, known := range wellKnown {
		if sameName(name, known) {
			return known, true
		}
	}
	return "", false
}

// key is the same for names that are equal but for their case.
func key(name string) string {
	if known, ok := canonical(name); ok {
		return known
	}
	return lowerName(name)
}

// Validate reports why p cannot be sent, or nil: names have 1 to 255 letters,
// digits and -_.+ of ASCII, none of them occurs twice in whatever case, and all
// together is less than 64 KiB.
func (p Properties) Validate() error {
	seen := make(map[string]string, len(p))
	size := 0
	for name, value := range p {
		switch {
		case name == "" || len(name) > maxName || strings.ContainsFunc(name, notNameChar):
			return fmt.Errorf("zmtp: property name %q: 1 to 255 ASCII letters, digits and -_.+ are allowed", name)
		case len(value) > maxHandshake:
			return fmt.Errorf("zmtp: property %q has %d bytes: all properties together are limited to %d", name, len(value), maxHandshake)
		}
		k := key(name)
		if other, twice := seen[k]; twice {
			return fmt.Errorf("zmtp: properties %q and %q are the same name: leave one out", other, name)
		}
		seen[k] = name
		size += 1 + len(name) + 4 + len(value)
	}
	if limit := maxHandshake - 1 - maxName; size > limit {
		return fmt.Errorf("zmtp: properties of %d bytes: all together are limited to %d", size, limit)
	}
	return nil
}

// admitted returns the properties of a peer: its own without what only this side
// may say, and those of this side's Authorize.
func (p Properties) admitted(auth Properties) Properties {
	if len(auth) == 0 && !p.claims() {
		return p
	}
	out := make(Properties, len(p)+len(auth))
	maps.Copy(out, p)
	maps.DeleteFunc(out, func(name, _ string) bool {
		if sameName(name, UserID) || sameName(name, PeerAddress) {
			return true
		}
		for ours := range auth {
			if sameName(name, ours) {
				return true
			}
		}
		return false
	})
	maps.Copy(out, auth)
	return out
}

// claims reports whether a peer says of itself what only this side may say.
func (p Properties) claims() bool {
	for name := range p {
		if sameName(name, UserID) || sameName(name, PeerAddress) {
			return true
		}
	}
	return false
}

func notNameChar(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.+", r))
}

// sameName compares as ASCII does: Unicode's folding would take a long s for an s
// and so let a peer hide a second Socket-Type.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerByte(a[i]) != lowerByte(b[i]) {
			return false
		}
	}
	return true
}

func lowerName(s string) string {
	for i := range len(s) {
		if lowerByte(s[i]) != s[i] {
			b := []byte(s)
			for i, c := range b {
				b[i] = lowerByte(c)
			}
			return string(b)
		}
	}
	return s
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
