package netaddr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/internal/netaddr"
)

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"127.0.0.1:5555", "[::1]:*", "*:*", "[fe80::1%eth0]:1", "a:b:c", "[]:", ":", "]:["} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, addr string) {
		host, port, err := netaddr.Split(addr)
		if err != nil {
			return
		}
		require.NotEmpty(t, host)
		require.NotContains(t, port, ":")
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		require.Equal(t, addr, host+":"+port)
	})
}
