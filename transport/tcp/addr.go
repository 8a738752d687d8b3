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
	network  string // "tcp", or "tcp4" where "tcp" would add IPv6
	hostport string
	any      bool // the host was "*"
}

// parseListen resolves an address to listen on.
func parseListen(ctx context.Context, addr string) (listenAddr, error) {
	if strings.Contains(addr, ";") {
		return listenAddr{}, errors.New("a source address (before the ';') is only for dialing")
	}
	host, port, err := netaddr.SplitBind(addr)
	if err != nil {
		return listenAddr{}, err
	}
	if host == "*" {
		return listenAddr{network: "tcp", hostport: net.JoinHostPort("", port), any: true}, nil
	}
	ip, err := netaddr.Local(host)
	if err != nil {
		return listenAddr{}, err
	}
	if !ip.IsValid() {
		if ip, err = netaddr.Lookup(ctx, host); err != nil {
			return listenAddr{}, err
		}
	}
	at := listenAddr{network: "tcp", hostport: net.JoinHostPort(ip.String(), port)}
	if ip.Is4() {
		at.network = "tcp4" // with "tcp", package net takes 0.0.0.0 to mean [::] as well
	}
	return at, nil
}

// parseDial splits an address to dial; source is nil if there is none.
func parseDial(ctx context.Context, addr string) (source *net.TCPAddr, target string, err error) {
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
	ip, err := netaddr.Local(host)
	if err == nil && !ip.IsValid() {
		err = fmt.Errorf("%q is neither an IP address nor a network interface", host)
	}
	if err != nil {
		return nil, "", fmt.Errorf("source: %w", err)
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(n))), target, nil
}
