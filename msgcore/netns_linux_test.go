package msgcore_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A host is a network namespace with one interface, eth0, in a network that a
// test has made: no packet leaves the machine, and other programs hear none.
type host struct {
	ns string
	ip string
}

var networks atomic.Int32

// newNetwork makes n hosts around a switch, which are removed with the test.
func newNetwork(t testing.TB, n int) []host {
	t.Helper()
	if why := noNetns(); why != "" {
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	id := fmt.Sprintf("smq%d-%d", os.Getpid(), networks.Add(1))
	hub := id + "h"
	var script strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&script, format+"\n", args...) }
	say("netns add %s", hub)
	t.Cleanup(func() { run(t, "", "ip", "netns", "del", hub) })
	hosts := make([]host, n)
	for i := range hosts {
		hosts[i] = host{fmt.Sprintf("%sn%d", id, i), fmt.Sprintf("10.77.0.%d", i+1)}
		say("netns add %s", hosts[i].ns)
		t.Cleanup(func() { run(t, "", "ip", "netns", "del", hosts[i].ns) })
	}
	run(t, script.String(), "ip", "-batch", "-")
	script.Reset()
	say("link add br0 type bridge mcast_snooping 0")
	say("link set br0 up")
	for i, h := range hosts {
		say("link add v%d type veth peer name eth0 netns %s", i, h.ns)
		say("link set v%d master br0 up", i)
	}
	run(t, script.String(), "ip", "-n", hub, "-batch", "-")
	for _, h := range hosts { // each packet travels by itself, so that it is lost by itself
		run(t, fmt.Sprintf("addr add %s/24 dev eth0\nlink set lo up\nlink set eth0 up gso_max_segs 1\nroute add 224.0.0.0/4 dev eth0\n", h.ip), "ip", "-n", h.ns, "-batch", "-")
	}
	awaitPorts(t, hub, n)
	return hosts
}

// newNetworkIPv6 is newNetwork with hosts that are called by IPv6.
func newNetworkIPv6(t testing.TB, n int) []host {
	t.Helper()
	hosts := newNetwork(t, n)
	for i := range hosts {
		hosts[i].ip = fmt.Sprintf("fd77::%d", i+1)
		run(t, "addr add "+hosts[i].ip+"/64 dev eth0 nodad\n", "ip", "-n", hosts[i].ns, "-batch", "-")
	}
	return hosts
}

// awaitPorts waits until all ports of the switch carry packets: the kernel notices
// a moment after they are up that they are connected, and drops what comes before.
func awaitPorts(t testing.TB, hub string, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		out, err := exec.Command("ip", "-n", hub, "-d", "link", "show", "master", "br0").CombinedOutput()
		require.NoError(t, err, "%s", out)
		if strings.Count(string(out), "state forwarding") == n {
			return
		}
		require.True(t, time.Now().Before(deadline), "the switch does not carry packets: %s", out)
	}
}

// together lets the packets that h sends travel as one if they were sent so.
func (h host) together(t testing.TB) {
	run(t, "link set eth0 gso_max_segs 64\n", "ip", "-n", h.ns, "-batch", "-")
}

// noNetns says why there can be no network here.
func noNetns() string {
	if os.Getuid() != 0 {
		return "network namespaces need root"
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Sprintf("no %s (install iproute2 and nftables): %v", tool, err)
		}
	}
	return ""
}

// run runs a program to its end.
func run(t testing.TB, stdin string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %q: %s", name, args, out)
}

// lose makes h drop so many percent of the PGM packets that come in, at random.
func (h host) lose(t testing.TB, percent int) {
	h.filter(t, fmt.Sprintf("numgen random mod 100 < %d", percent))
}

// filter makes h drop the PGM packets that match; all if match is empty, none if it
// is "-".
func (h host) filter(t testing.TB, match string) {
	t.Helper()
	var rules strings.Builder
	rules.WriteString("table inet loss {}\ndelete table inet loss\n")
	if match != "-" {
		fmt.Fprintf(&rules, "table inet loss {\n chain in {\n type filter hook input priority 0;\n udp dport 5555 %s counter drop\n meta l4proto 113 %s counter drop\n }\n}\n", match, match)
	}
	run(t, rules.String(), "ip", "netns", "exec", h.ns, "nft", "-f", "-")
}

// do runs f on a thread that is in h: the sockets that it opens are h's.
func (h host) do(t testing.TB, f func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		defer close(done) // if f fails, too
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err == nil {
			defer home.Close()
			var ns *os.File
			if ns, err = os.Open("/run/netns/" + h.ns); err == nil {
				defer ns.Close()
				err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
			}
		}
		if err == nil {
			f()
			err = unix.Setns(int(home.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil { // or the thread ends with the goroutine
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	require.NoError(t, <-done)
	if t.Failed() {
		t.FailNow()
	}
}
