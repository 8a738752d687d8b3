package auth

import (
	"fmt"
	"net/netip"
)

// localWord stands for peers without an address.
const localWord = "local"

type addressList struct {
	networks []netip.Prefix
	local    bool
}

func parseAddresses(field string, entries []string) (addressList, error) {
	var l addressList
	for _, e := range entries {
		if e == localWord {
			l.local = true
			continue
		}
		p, err := netip.ParsePrefix(e)
		if addr, aerr := netip.ParseAddr(e); aerr == nil && addr.Zone() == "" {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return l, fmt.Errorf("auth: Options.%s has %q: want an address such as 192.0.2.7, a network such as 192.0.2.0/24, or %q", field, e, localWord)
		}
		if p.Addr().Is4In6() {
			if p.Bits() < 96 {
				return l, fmt.Errorf("auth: Options.%s has %q, which is more than IPv4: write the IPv4 network", field, e)
			}
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p != p.Masked() {
			return l, fmt.Errorf("auth: Options.%s has %q, which is an address within a network: write %s for the network, or leave the number of bits out", field, e, p.Masked())
		}
		l.networks = append(l.networks, p)
	}
	return l, nil
}

func (l addressList) has(ip netip.Addr) bool {
	if !ip.IsValid() {
		return l.local
	}
	for _, n := range l.networks {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}
