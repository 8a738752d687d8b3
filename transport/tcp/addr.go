package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
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
	host, port, err := splitBind(addr)
	if err != nil {
		return listenAddr{}, err
	}
	if host == "*" {
		return listenAddr{network: "tcp", hostport: net.JoinHostPort("", port), any: true}, nil
	}
	ip, err := bindHost(host)
	if err != nil {
		return listenAddr{}, err
	}
	if !ip.IsValid() {
		if ip, err = lookup(ctx, host); err != nil {
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
	host, port, err := split(target)
	if err != nil {
		return nil, "", err
	}
	if host == "*" || port == "*" || port == "0" {
		return nil, "", errors.New("a wildcard can be listened on, not dialed")
	}
	if !validPort(port) {
		return nil, "", fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	target = net.JoinHostPort(host, port)
	if !ok {
		return nil, target, nil
	}
	host, port, err = splitBind(from)
	if err != nil {
		return nil, "", fmt.Errorf("source: %w", err)
	}
	n, _ := strconv.Atoi(port)
	if host == "*" {
		return &net.TCPAddr{Port: n}, target, nil
	}
	ip, err := bindHost(host)
	if err == nil && !ip.IsValid() {
		err = fmt.Errorf("%q is neither an IP address nor a network interface", host)
	}
	if err != nil {
		return nil, "", fmt.Errorf("source: %w", err)
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(n))), target, nil
}

// splitBind is split for an address of this machine: it turns a wildcard port
// into 0.
func splitBind(addr string) (host, port string, err error) {
	host, port, err = split(addr)
	switch {
	case err != nil:
		return "", "", err
	case port == "*" || port == "0":
		return host, "0", nil
	case !validPort(port):
		return "", "", fmt.Errorf("port %q is not a number from 1 to 65535, nor \"*\" or \"0\" for any", port)
	}
	return host, port, nil
}

// split splits addr at its last colon and takes the brackets off the host.
func split(addr string) (host, port string, err error) {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 || strings.HasSuffix(addr, "]") {
		return "", "", errors.New("no port; write it like 127.0.0.1:5555")
	}
	host, port = addr[:i], addr[i+1:]
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		if ip, err := netip.ParseAddr(inner); !ok || err != nil || !ip.Is6() {
			return "", "", fmt.Errorf("%q is not an IPv6 address in brackets", host)
		}
		return inner, port, nil
	}
	switch {
	case host == "":
		return "", "", errors.New("no host; \"*\" listens on every interface, \"localhost\" is this machine")
	case strings.Contains(host, ":"):
		return "", "", fmt.Errorf("host %q has a colon: an IPv6 address goes into brackets, [::1]:5555", host)
	}
	return host, port, nil
}

// validPort reports whether s is 1 to 65535, in plain digits.
func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// bindHost returns the IP address that host stands for as an address or as a
// network interface of this machine, and the zero Addr if it is neither.
func bindHost(host string) (netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, nil
	}
	ifi, err := net.InterfaceByName(host)
	if err != nil {
		return netip.Addr{}, nil // not an interface, or none can be listed here
	}
	addrs, err := ifi.Addrs()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("interface %q: %w", host, err)
	}
	var six netip.Addr
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := p.Addr()
		if ip.Is4() {
			return ip, nil
		}
		// A link-local address means nothing without its interface, and peers
		// elsewhere name that differently: any other is better.
		if ip.IsLinkLocalUnicast() {
			ip = ip.WithZone(ifi.Name)
		}
		if !six.IsValid() || six.IsLinkLocalUnicast() && !ip.IsLinkLocalUnicast() {
			six = ip
		}
	}
	if !six.IsValid() {
		return netip.Addr{}, fmt.Errorf("interface %q has no IP address", host)
	}
	return six, nil
}

// lookup resolves a host name to one address, IPv4 if there is one.
func lookup(ctx context.Context, host string) (netip.Addr, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%q is no address or interface of this machine, and as a host name: %w", host, err)
	}
	var first netip.Addr
	for _, ip := range ips {
		if ip = ip.Unmap(); ip.Is4() {
			return ip, nil
		}
		if !first.IsValid() {
			first = ip
		}
	}
	if !first.IsValid() {
		return netip.Addr{}, fmt.Errorf("host %q has no IP address", host)
	}
	return first, nil
}
