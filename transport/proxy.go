package transport

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Proxy is a SOCKS5 server (RFC 1928) that connections go through. Formatting
// one, with any verb of package fmt, or as JSON, does not show its User and Password.
type Proxy struct {
	// Addr is the proxy's "host:port"; empty means that there is none.
	Addr string
	// User and Password log in there (RFC 1929), where the proxy asks for it, at
	// most 255 bytes each. They go over the network as they are. An empty User
	// does not log in.
	User, Password string
}

// String returns p without its secrets.
func (p Proxy) String() string {
	switch {
	case p.Addr == "":
		return "no proxy"
	case p.User == "":
		return "socks5://" + p.Addr
	}
	return "socks5://***@" + p.Addr
}

// Format writes what String returns, for every verb.
func (p Proxy) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// MarshalText returns what String does.
func (p Proxy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

func (p Proxy) validate() error {
	switch {
	case strings.Contains(p.Addr, "@"): // and not shown, as it may hold a password
		return errors.New("a Proxy's Addr is not host:port: a user and a password are fields of their own")
	case p.Addr == "" && p != (Proxy{}):
		return errors.New("a Proxy has a User or a Password, but no Addr")
	case p.User == "" && p.Password != "":
		return errors.New("a Proxy has a Password, but no User")
	case len(p.User) > 255 || len(p.Password) > 255:
		return fmt.Errorf("a Proxy has a User of %d and a Password of %d bytes, the limit is 255", len(p.User), len(p.Password))
	}
	return nil
}
