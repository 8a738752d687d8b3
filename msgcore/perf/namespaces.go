package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Namespaces are two networks with nothing but a cable between them, in which
// multicast is measured: no packet leaves the machine, and libzmq hears no
// publisher of its own host.
type namespaces struct{ pub, sub string }

const (
	pubIP          = "10.77.0.1"
	subIP          = "10.77.0.2"
	multicastGroup = "239.192.1.1:5555"
)

// multicastFlags are the settings of both sides, for everybody: 3 Gbit/s, which
// a receiver on a small machine bears, and a window of 133 ms of that, or 50 MB. The
// warm-up is long enough to fill it.
var multicastFlags = []string{"-rate=3000000", "-recovery=133", "-buffer=4194304", "-warmup=1s"}

// noNamespaces says why there can be none.
func noNamespaces() string {
	if os.Geteuid() != 0 {
		return "its network namespaces need root"
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return fmt.Sprintf("its network namespaces need ip (on Debian: apt-get install iproute2): %v", err)
	}
	return ""
}

func makeNamespaces(ctx context.Context) (n *namespaces, err error) {
	id := fmt.Sprintf("solomq-perf-%d", os.Getpid())
	n = &namespaces{id + "-pub", id + "-sub"}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.remove())
		}
	}()
	if err := ip(ctx, "", fmt.Sprintf("netns add %s\nnetns add %s\n", n.pub, n.sub)); err != nil {
		return nil, err
	}
	if err := ip(ctx, n.pub, fmt.Sprintf("link add eth0 type veth peer name eth0 netns %s\n", n.sub)); err != nil {
		return nil, err
	}
	for ns, addr := range map[string]string{n.pub: pubIP, n.sub: subIP} {
		err := ip(ctx, ns, fmt.Sprintf("addr add %s/24 dev eth0\nlink set lo up\nlink set eth0 up\nroute add 224.0.0.0/4 dev eth0\n", addr))
		if err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *namespaces) remove() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // also after an interruption
	defer cancel()
	for _, ns := range []string{n.pub, n.sub} {
		if _, statErr := os.Stat("/run/netns/" + ns); statErr == nil {
			err = errors.Join(err, ip(ctx, "", "netns del "+ns+"\n"))
		}
	}
	return err
}

// exec is what runs a program on the subscriber's side, or else the publisher's.
func (n *namespaces) exec(sub bool) []string {
	if sub {
		return []string{"ip", "netns", "exec", n.sub}
	}
	return []string{"ip", "netns", "exec", n.pub}
}

// ip carries out commands in the namespace ns, or in ours if that is empty.
func ip(ctx context.Context, ns, commands string) error {
	args := []string{"-batch", "-"}
	if ns != "" {
		args = append([]string{"-n", ns}, args...)
	}
	cmd := exec.CommandContext(ctx, "ip", args...)
	cmd.Stdin = strings.NewReader(commands)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// close removes what b has made of the system's.
func (b *bed) close() error {
	if b.namespaces == nil {
		return nil
	}
	return b.namespaces.remove()
}

// multicastTries is how often a measurement is made anew in which nothing came
// through. Where others use the processors, a publisher may overrun its subscriber,
// which then waits for repairs for longer than a short measurement lasts.
const multicastTries = 3

// multicast measures what comes through. What does not is part of the result.
func multicast(ctx context.Context, b *bed, w *work, c *contender) (s sample, err error) {
	for range multicastTries {
		if s, err = multicastOnce(ctx, b, w, c); !errors.Is(err, errNothing) {
			break
		}
	}
	return s, err
}

// multicastOnce runs a subscriber, which measures, and a publisher. Packets that come
// before both know each other are those of the warm-up.
func multicastOnce(ctx context.Context, b *bed, w *work, c *contender) (sample, error) {
	if b.namespaces == nil {
		n, err := makeNamespaces(ctx)
		if err != nil {
			return sample{}, err
		}
		b.namespaces = n
	}
	ctx, cancel := b.limited(ctx)
	defer cancel()
	sub, err := b.start(ctx, w, c, "msub", "epgm://"+subIP+";"+multicastGroup, true)
	if err != nil {
		return sample{}, err
	}
	defer b.end(sub)
	if _, err := sub.expect(ctx, "ready"); err != nil {
		return sample{}, fmt.Errorf("msub: %w", err)
	}
	pub, err := b.start(ctx, w, c, "mpub", "epgm://"+pubIP+";"+multicastGroup, false)
	if err != nil {
		return sample{}, err
	}
	defer b.end(pub)
	line, err := sub.expect(ctx, "result")
	if err != nil {
		return sample{}, fmt.Errorf("msub: %w", err)
	}
	b.end(pub)
	b.end(sub)
	return result(w, line, pub.cpu()+sub.cpu())
}
