package transport

import (
	"fmt"
	"strings"
)

// An Endpoint is a parsed "scheme://address".
type Endpoint struct {
	Scheme string // names the Transport: a lower-case letter, then a-z, 0-9, "+", "-", "."
	Addr   string // what the Transport is given; never empty
}

// ParseEndpoint splits s into a scheme and an address. It does not judge the
// address, which only the Transport understands, nor ask whether the scheme is
// registered.
func ParseEndpoint(s string) (Endpoint, error) {
	scheme, addr, ok := strings.Cut(s, "://")
	switch {
	case !ok:
		return Endpoint{}, fmt.Errorf("transport: endpoint %s has no \"://\"; write it like tcp://127.0.0.1:5555", quote(s))
	case !validScheme(scheme):
		return Endpoint{}, fmt.Errorf("transport: endpoint %s: a scheme starts with a letter and has only a-z, 0-9, '+', '-' and '.'", quote(s))
	case addr == "":
		return Endpoint{}, fmt.Errorf("transport: endpoint %s has no address after \"://\"", quote(s))
	}
	return Endpoint{Scheme: scheme, Addr: addr}, nil
}

// String returns e as "scheme://address", which ParseEndpoint reads back.
func (e Endpoint) String() string {
	return e.Scheme + "://" + e.Addr
}

func validScheme(s string) bool {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// quote quotes s for an error, cutting what is too long to be read.
func quote(s string) string {
	const limit = 200
	if len(s) > limit {
		return fmt.Sprintf("%q... (%d bytes)", s[:limit], len(s))
	}
	return fmt.Sprintf("%q", s)
}
