//go:build !unix

package mcast

import "net/netip"

func anyOf(group netip.AddrPort) netip.AddrPort {
	if group.Addr().Is4() {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), group.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), group.Port())
}
