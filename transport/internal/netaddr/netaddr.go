// Package netaddr reads the "host:port" of endpoints: addresses, interfaces,
// host names and wildcards.
package netaddr

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// SplitBind is Split for an address of this machine: it turns a wildcard port
// into 0.
func SplitBind(addr string) (host, port string, err error) {
	host, port, err = Split(addr)
	switch {
	case err != nil:
		return "", "", err
	case port == "*" || port == "0":
		return host, "0", nil
	case !ValidPort(port):
		return "", "", fmt.Errorf("port %q is not a number from 1 to 65535, nor \"*\" or \"0\" for any", port)
	}
	return host, port, nil
}

// Split splits addr at its last colon and takes the brackets off the host.
func Split(addr string) (host, port string, err error) {
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

// ValidPort reports whether s is 1 to 65535, in plain digits.
func ValidPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// Local is LocalOf for both versions of IP.
func Local(host string) (netip.Addr, error) { return LocalOf(host, 0) }

// LocalOf returns the IP address that host stands for as an address or as a
// network interface of this machine, and the zero Addr if it is neither. version
// is 4, 6, or 0 for both; what has no address of that version is an error.
func LocalOf(host string, version int) (netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, Check(ip, version)
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
		if !fits(ip, version) {
			continue
		}
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
		return netip.Addr{}, fmt.Errorf("interface %q has no %s address", host, named(version))
	}
	return six, nil
}

// Check is an error if ip is not of the version that is wanted.
func Check(ip netip.Addr, version int) error {
	if fits(ip, version) {
		return nil
	}
	return fmt.Errorf("%s is no IPv%d address, and no others are wanted here", ip, version)
}

// fits reports whether ip is of the given version of IP.
func fits(ip netip.Addr, version int) bool {
	return version == 0 || ip.Unmap().Is4() == (version == 4)
}

// named is the name of a version of IP.
func named(version int) string {
	if version == 0 {
		return "IP"
	}
	return fmt.Sprint("IPv", version)
}

// Lookup is LookupOf for both versions of IP.
func Lookup(ctx context.Context, host string) (netip.Addr, error) { return LookupOf(ctx, host, 0) }

// LookupOf resolves a host name to one address of the given version, as LocalOf
// has it: IPv4 if there is one and both will do.
func LookupOf(ctx context.Context, host string, version int) (netip.Addr, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%q is no address or interface of this machine, and as a host name: %w", host, err)
	}
	var first netip.Addr
	for _, ip := range ips {
		if ip = ip.Unmap(); !fits(ip, version) {
			continue
		}
		if ip.Is4() {
			return ip, nil
		}
		if !first.IsValid() {
			first = ip
		}
	}
	if !first.IsValid() {
		return netip.Addr{}, fmt.Errorf("host %q has no %s address", host, named(version))
	}
	return first, nil
}
