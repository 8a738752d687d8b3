package tcp

import (
	"net"
	"syscall"
)

func bindToInterface(fd uintptr, v6 bool, name string) error {
	const ipv6BoundIf = 125 // IPV6_BOUND_IF of <netinet6/in6.h>; not in package syscall
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	if v6 {
		return setInt(fd, syscall.IPPROTO_IPV6, ipv6BoundIf, ifi.Index)
	}
	return setInt(fd, syscall.IPPROTO_IP, syscall.IP_BOUND_IF, ifi.Index)
}
