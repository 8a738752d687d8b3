package tcp_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/tcp"
)

// listen listens until the end of the test.
func listen(t *testing.T, addr string, opts *transport.Options) transport.Listener {
	t.Helper()
	l, err := tcp.Transport{}.Listen(t.Context(), addr, opts)
	require.NoError(t, err, addr)
	t.Cleanup(func() { l.Close() })
	return l
}

// pair connects to addr, where l listens.
func pair(t *testing.T, l transport.Listener, addr string, opts *transport.Options) (dialed, accepted *net.TCPConn) {
	t.Helper()
	a, err := tcp.Transport{}.Dial(t.Context(), addr, opts)
	require.NoError(t, err, addr)
	t.Cleanup(func() { a.Close() })
	b, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

// loopback returns the name of the loopback interface.
func loopback(t *testing.T) string {
	t.Helper()
	list, err := net.Interfaces()
	require.NoError(t, err)
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	t.Skip("no loopback interface")
	return ""
}

// hasIPv6 reports whether ::1 can be bound.
func hasIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func TestListenAddr(t *testing.T) {
	lo := loopback(t)
	for addr, host := range map[string]string{
		"127.0.0.1:*": "127.0.0.1",
		"127.0.0.1:0": "127.0.0.1",
		"localhost:*": "127.0.0.1",
		lo + ":*":     "127.0.0.1",
		lo + ":0":     "127.0.0.1",
		"*:*":         "0.0.0.0",
		"*:0":         "0.0.0.0",
		"0.0.0.0:*":   "0.0.0.0",
		"[::1]:*":     "::1",
		"[::]:*":      "::",
	} {
		t.Run(addr, func(t *testing.T) {
			if strings.Contains(host, ":") && !hasIPv6() {
				t.Skip("no IPv6 here")
			}
			l := listen(t, addr, nil)
			got, port, err := net.SplitHostPort(l.Addr().String())
			require.NoError(t, err)
			require.Equal(t, host, got)
			require.NotEqual(t, "0", port)
			pair(t, l, l.Addr().String(), nil)

			// The resolved address is one to listen on, too.
			require.NoError(t, l.Close())
			at := l.Addr().String()
			require.Equal(t, at, listen(t, at, nil).Addr().String())
		})
	}
}

// "*" is every interface over IPv4 and IPv6, while 0.0.0.0 is IPv4 only.
func TestListenEverywhere(t *testing.T) {
	if !hasIPv6() {
		t.Skip("no IPv6 here")
	}
	l := listen(t, "*:*", nil)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	pair(t, l, "127.0.0.1:"+port, nil)
	pair(t, l, "[::1]:"+port, nil)

	four := listen(t, "0.0.0.0:*", nil)
	_, port, err = net.SplitHostPort(four.Addr().String())
	require.NoError(t, err)
	pair(t, four, "127.0.0.1:"+port, nil)
	_, err = tcp.Transport{}.Dial(t.Context(), "[::1]:"+port, nil)
	require.Error(t, err)
}

// IPVersion keeps "*", names and interfaces to one version, and refuses addresses
// of the other. Without it "[::]" takes both, as "*" does.
func TestIPVersion(t *testing.T) {
	if !hasIPv6() {
		t.Skip("no IPv6 here")
	}
	only := func(n int) *transport.Options { return &transport.Options{IPVersion: n} }
	everywhere := listen(t, "[::]:*", nil)
	_, port, err := net.SplitHostPort(everywhere.Addr().String())
	require.NoError(t, err)
	pair(t, everywhere, "127.0.0.1:"+port, nil)
	pair(t, everywhere, "[::1]:"+port, nil)

	for version, c := range map[int]struct{ all, near, far string }{
		4: {"0.0.0.0", "127.0.0.1", "[::1]"},
		6: {"::", "[::1]", "127.0.0.1"},
	} {
		l := listen(t, "*:*", only(version))
		host, port, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		require.Equal(t, c.all, host)
		pair(t, l, c.near+":"+port, nil)
		pair(t, l, c.near+":"+port, only(version))
		pair(t, l, c.near+":*;"+c.near+":"+port, only(version))
		_, err = tcp.Transport{}.Dial(t.Context(), c.far+":"+port, nil)
		require.Error(t, err)

		name := listen(t, loopback(t)+":*", only(version))
		host, _, err = net.SplitHostPort(name.Addr().String())
		require.NoError(t, err)
		require.Equal(t, strings.Trim(c.near, "[]"), host, "of the interface")
		pair(t, name, name.Addr().String(), only(version))

		why := fmt.Sprintf("is no IPv%d address", version)
		for _, addr := range []string{c.far + ":1", c.far + ":0;" + c.near + ":1"} {
			_, err = tcp.Transport{}.Dial(t.Context(), addr, only(version))
			require.ErrorContains(t, err, why)
		}
		_, err = tcp.Transport{}.Listen(t.Context(), c.far+":*", only(version))
		require.ErrorContains(t, err, why)
	}

	// A name that has both.
	for version, at := range map[int]string{4: "127.0.0.1", 6: "[::1]"} {
		l := listen(t, at+":*", nil)
		_, port, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		if ips, _ := net.LookupIP("localhost"); version == 6 && !hasSix(ips) {
			continue
		}
		pair(t, l, "localhost:"+port, only(version))
		_, err = tcp.Transport{}.Dial(t.Context(), "localhost:"+port, only(10-version))
		require.Error(t, err)
	}
}

func hasSix(ips []net.IP) bool {
	return slices.ContainsFunc(ips, func(ip net.IP) bool { return ip.To4() == nil })
}

func TestDialSource(t *testing.T) {
	l := listen(t, "127.0.0.1:*", nil)
	at := l.Addr().String()
	_, b := pair(t, l, "127.0.0.1:0;"+at, nil)
	require.Equal(t, "127.0.0.1", b.RemoteAddr().(*net.TCPAddr).IP.String())
	_, b = pair(t, l, loopback(t)+":*;"+at, nil)
	require.Equal(t, "127.0.0.1", b.RemoteAddr().(*net.TCPAddr).IP.String())

	// A port of its own: one that was just free.
	spare := listen(t, "127.0.0.1:*", nil)
	from := spare.Addr().String()
	require.NoError(t, spare.Close())
	_, port, _ := net.SplitHostPort(from)
	_, b = pair(t, l, from+";"+at, nil)
	require.Equal(t, from, b.RemoteAddr().String())
	b.Close()
	_, err := tcp.Transport{}.Dial(t.Context(), "*:"+port+";127.0.0.1:1", nil)
	require.Error(t, err)
}

func TestAddrErrors(t *testing.T) {
	both := map[string]string{
		"":                  "no port",
		"127.0.0.1":         "no port",
		"[::1]":             "no port",
		":5555":             "no host",
		"::1:5555":          "brackets",
		"[127.0.0.1]:5555":  "not an IPv6 address",
		"[::1:5555":         "not an IPv6 address",
		"[x]:5555":          "not an IPv6 address",
		"127.0.0.1:65536":   "65535",
		"127.0.0.1:-1":      "65535",
		"127.0.0.1:+5":      "65535",
		"127.0.0.1:http":    "65535",
		"127.0.0.1:":        "65535",
		"127.0.0.1:00":      "65535",
		"no.such.invalid:5": "no.such.invalid",
	}
	listenOnly := map[string]string{
		"127.0.0.1:0;127.0.0.1:5": "source",
	}
	dialOnly := map[string]string{
		"*:5555":                  "wildcard",
		"127.0.0.1:*":             "wildcard",
		"127.0.0.1:0":             "wildcard",
		"localhost:0;127.0.0.1:5": "neither an IP address nor a network interface",
		"127.0.0.1;127.0.0.1:5":   "source: no port",
		";127.0.0.1:5":            "source: no port",
		"127.0.0.1:5;":            "no port",
	}
	check := func(cases map[string]string, op string, do func(string) error) {
		for addr, why := range cases {
			err := do(addr)
			require.ErrorContains(t, err, why, "%s %q", op, addr)
			require.ErrorContains(t, err, "tcp: ", "%s %q", op, addr)
		}
	}
	listen := func(addr string) error {
		_, err := tcp.Transport{}.Listen(t.Context(), addr, nil)
		return err
	}
	dial := func(addr string) error {
		_, err := tcp.Transport{}.Dial(t.Context(), addr, nil)
		return err
	}
	check(both, "listen", listen)
	check(both, "dial", dial)
	check(listenOnly, "listen", listen)
	check(dialOnly, "dial", dial)
}

// The zone of an address is an interface, whose name has blanks on some systems:
// Listen gives such addresses out.
func TestZoneWithBlank(t *testing.T) {
	require.NoError(t, tcp.Transport{}.CheckDial("[fe80::1%Ethernet 2]:5555", nil))
	require.ErrorContains(t, tcp.Transport{}.CheckDial("no host%lo:5555", nil), "neither a name")
}

// Looking a name up ends with the context.
func TestLookupCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := tcp.Transport{}.Listen(ctx, "no.such.invalid:5", nil)
	require.Error(t, err)
}
