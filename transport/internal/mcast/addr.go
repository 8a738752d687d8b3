package mcast

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

// An Addr is where packets go to or come from: "host:port", "group:port" or
// "interface;group:port".
type Addr struct {
	Interface *net.Interface // of a group; nil leaves it to the system
	Local     netip.Addr     // the interface's address of the group's family; not valid without one
	Host      netip.Addr     // an address of a host, a group, or the unspecified address for "*"
	Port      uint16         // 0 for "*"
	given     string         // the interface, as it was named
}

// Multicast reports whether a is a group.
func (a Addr) Multicast() bool { return a.Host.IsMulticast() }

// AddrPort returns a without its interface.
func (a Addr) AddrPort() netip.AddrPort { return netip.AddrPortFrom(a.Host, a.Port) }

// String returns a in the form that Parse reads.
func (a Addr) String() string {
	if a.given != "" {
		return a.given + ";" + a.AddrPort().String()
	}
	return a.AddrPort().String()
}

// Parse reads an address. fallback names the interface of a group that comes
// without one; empty leaves it to the system. ctx bounds looking a host name up.
func Parse(ctx context.Context, addr, fallback string) (Addr, error) {
	name, rest, ok := strings.Cut(addr, ";")
	if !ok {
		name, rest = "", addr
	}
	if strings.Contains(rest, ";") {
		return Addr{}, errors.New("more than one ';': the form is interface;group:port")
	}
	host, port, err := netaddr.SplitBind(rest)
	if err != nil {
		return Addr{}, err
	}
	n, _ := strconv.ParseUint(port, 10, 16)
	a := Addr{Port: uint16(n)}
	switch host {
	case "*":
		a.Host = netip.IPv4Unspecified()
	default:
		if a.Host, err = netaddr.Local(host); err == nil && !a.Host.IsValid() {
			a.Host, err = netaddr.Lookup(ctx, host)
		}
		if err != nil {
			return Addr{}, err
		}
		a.Host = a.Host.Unmap()
	}
	switch {
	case a.Multicast() && name == "":
		name = fallback
	case !a.Multicast() && name != "":
		return Addr{}, fmt.Errorf("%s is no multicast group, so that an interface before ';' means nothing", a.Host)
	}
	if zone := a.Host.Zone(); zone != "" && a.Multicast() {
		if name == "" {
			name = zone
		}
		a.Host = a.Host.WithZone("")
	}
	if name == "" || name == "*" {
		return a, nil
	}
	a.given = name
	a.Interface, a.Local, err = findInterface(name, a.Host.Is4())
	return a, err
}

// findInterface finds the interface of that name or address, and an address of
// it.
func findInterface(name string, v4 bool) (*net.Interface, netip.Addr, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, netip.Addr{}, fmt.Errorf("interfaces: %w", err)
	}
	want, err := netip.ParseAddr(strings.Trim(name, "[]"))
	byAddr := err == nil
	if byAddr && want.Is4() != v4 {
		return nil, netip.Addr{}, fmt.Errorf("interface %s and the group are not of the same IP version", name)
	}
	for i := range list {
		ifi := &list[i]
		if !byAddr && ifi.Name != name {
			continue
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			return nil, netip.Addr{}, fmt.Errorf("interface %s: %w", ifi.Name, err)
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			ip := p.Addr()
			if byAddr && ip != want.WithZone("") || ip.Is4() != v4 {
				continue
			}
			return ifi, ip, nil
		}
		if !byAddr {
			return nil, netip.Addr{}, fmt.Errorf("interface %q has no address of the group's IP version", name)
		}
	}
	return nil, netip.Addr{}, fmt.Errorf("%q is neither the name nor the address of an interface of this machine", name)
}
