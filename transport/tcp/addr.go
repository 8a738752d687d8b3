package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"github.com/solomq/solomq/transport/internal/netaddr"
)

// A listenAddr is what package net is to listen on.
type listenAddr struct {
	network  string // "tcp", or "tcp4" or "tcp6" where "tcp" would add the other
	hostport string
	any      bool // the host was "*"
}

// parseListen resolves an address to listen on, of the given version of IP or, if
// that is 0, of both.
func parseListen(ctx context.Context, addr string, version int) (listenAddr, error) {
	if strings.Contains(addr, ";") {
		return listenAddr{}, errors.New("a source address (before the ';') is only for dialing")
	}
	host, port, err := netaddr.SplitBind(addr)
	if err != nil {
		return listenAddr{}, err
	}
	if host == "*" {
		return listenAddr{network: network(version), hostport: net.JoinHostPort("", port), any: true}, nil
	}
	ip, err := netaddr.LocalOf(host, version)
	if err != nil {
		return listenAddr{}, err
	}
	if !ip.IsValid() {
		if ip, err = netaddr.LookupOf(ctx, host, version); err != nil {
			return listenAddr{}, err
		}
	}
	at := listenAddr{network: network(version), hostport: net.JoinHostPort(ip.String(), port)}
	if ip.Is4() {
		at.network = "tcp4" // with "tcp", package net takes 0.0.0.0 to mean [::] as well
	}
	return at, nil
}

// network is package net's name of tcp over the given version of IP.
func network(version int) string {
	if version == 0 {
		return "tcp"
	}
	return "tcp" + strconv.Itoa(version)
}

// checkVersion refuses an address to dial that is not of the given version of IP.
// Names are package net's to judge.
func checkVersion(target string, version int) error {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	return netaddr.Check(ip, version)
}

// A sourceAddr is where a connection is to come from, as it was said.
type sourceAddr struct{ host, port string }

// splitDial splits an address to dial and judges its form; the zero source is none.
func splitDial(addr string) (source sourceAddr, target string, err error) {
	from, target, ok := strings.Cut(addr, ";")
	if !ok {
		from, target = "", addr
	}
	host, port, err := netaddr.Split(target)
	if err != nil {
		return source, "", err
	}
	if host == "*" || port == "*" || port == "0" {
		return source, "", errors.New("a wildcard can be listened on, not dialed")
	}
	name, _, _ := strings.Cut(host, "%") // behind it is an interface's
	if strings.ContainsFunc(name, inNoName) {
		return source, "", fmt.Errorf("host %q is neither a name nor an address; write it like 127.0.0.1:5555", host)
	}
	if !netaddr.ValidPort(port) {
		return source, "", fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	if ok {
		if source.host, source.port, err = netaddr.SplitBind(from); err != nil {
			return sourceAddr{}, "", fmt.Errorf("source: %w", err)
		}
	}
	return source, net.JoinHostPort(host, port), nil
}

// inNoName reports whether no host's name or address has c in it. Those of interfaces,
// which may be listened on, have blanks on some systems.
func inNoName(c rune) bool { return c == '/' || unicode.IsSpace(c) || unicode.IsControl(c) }

// parseDial is splitDial that finds out what the source means, which is of the given
// version of IP, and nil if there is none.
func parseDial(addr string, version int) (source *net.TCPAddr, target string, err error) {
	from, target, err := splitDial(addr)
	if err != nil || from.host == "" {
		return nil, target, err
	}
	host := from.host
	n, _ := strconv.Atoi(from.port)
	if host == "*" {
		return &net.TCPAddr{Port: n}, target, nil
	}
	ip, err := netaddr.LocalOf(host, version)
	if err == nil && !ip.IsValid() {
		err = fmt.Errorf("%q is neither an IP address nor a network interface", host)
	}
	if err != nil {
		return nil, "", fmt.Errorf("source: %w", err)
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(n))), target, nil
}
