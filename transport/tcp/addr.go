package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

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

// parseDial splits an address to dial; source, which is of the given version of IP,
// is nil if there is none.
func parseDial(addr string, version int) (source *net.TCPAddr, target string, err error) {
	from, target, ok := strings.Cut(addr, ";")
	if !ok {
		from, target = "", addr
	}
	host, port, err := netaddr.Split(target)
	if err != nil {
		return nil, "", err
	}
	if host == "*" || port == "*" || port == "0" {
		return nil, "", errors.New("a wildcard can be listened on, not dialed")
	}
	if !netaddr.ValidPort(port) {
		return nil, "", fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	target = net.JoinHostPort(host, port)
	if !ok {
		return nil, target, nil
	}
	host, port, err = netaddr.SplitBind(from)
	if err != nil {
		return nil, "", fmt.Errorf("source: %w", err)
	}
	n, _ := strconv.Atoi(port)
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
