package msgcore_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
)

// A pgmPeer is a process of testdata/pgm.py.
type pgmPeer struct {
	in    io.WriteCloser
	lines chan string
	cmd   *exec.Cmd
}

const pgmPeerRate = 50_000

// startPGM starts libzmq in h; it ends with the test.
func startPGM(t testing.TB, h host, scheme, role string, from, to int) *pgmPeer {
	t.Helper()
	if err := exec.Command(pythonPath, "-c", "import zmq; assert zmq.has('pgm')").Run(); err != nil {
		msg := fmt.Sprintf("no libzmq with pgm: %s (install python3-zmq): %v", pythonPath, err)
		if os.Getenv("CI") == "true" {
			t.Fatal(msg)
		}
		t.Skip(msg)
	}
	endpoint := scheme + "://" + h.ip + ";" + pgmGroup
	cmd := exec.Command("ip", "netns", "exec", h.ns, pythonPath, "testdata/pgm.py", role, endpoint, fmt.Sprint(pgmPeerRate), fmt.Sprint(from), fmt.Sprint(to))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &pgmPeer{in: in, lines: make(chan string, 10), cmd: cmd}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { p.end(t) })
	require.Equal(t, "ready", p.line(t))
	return p
}

func (p *pgmPeer) end(t testing.TB) {
	p.in.Close()
	for range p.lines { // until it ends
	}
	_ = p.cmd.Wait()
}

func (p *pgmPeer) line(t testing.TB) string {
	t.Helper()
	select {
	case l, ok := <-p.lines:
		require.True(t, ok, "pgm.py has ended")
		return l
	case <-time.After(4 * patience):
		t.Fatal("pgm.py says nothing")
		return ""
	}
}

// A trouble is what happens to the packets that the subscriber's host gets.
type trouble struct {
	name  string
	begin func(t testing.TB, scheme string, hosts []host) // once the subscriber has joined
	early bool                                            // or before
	// strike is called when the stream has begun, and what it returns while it goes on.
	strike func(t testing.TB, hosts []host) (then func())
}

func loss(percent int) trouble {
	return trouble{name: fmt.Sprintf("loss %d", percent), begin: func(t testing.TB, _ string, hosts []host) {
		if percent > 0 {
			hosts[1].lose(t, percent)
		}
	}}
}

var blackout = trouble{name: "blackout", strike: func(t testing.TB, hosts []host) (then func()) {
	hosts[1].filter(t, "")
	return func() {
		<-time.After(300 * time.Millisecond) // as long as it is to be
		hosts[1].filter(t, "-")
	}
}}

// jumbled has the packets of hosts[0] come to hosts[1] by a relay on hosts[2], which
// doubles some and changes their order.
var jumbled = trouble{name: "jumbled", early: true, begin: func(t testing.TB, scheme string, hosts []host) {
	if strings.Contains(hosts[0].ip, ":") {
		hosts[1].filter(t, "ip6 saddr "+hosts[0].ip)
	} else {
		hosts[1].filter(t, "ip saddr "+hosts[0].ip)
	}
	in, send, end := openRelay(t, scheme, hosts[2])
	var wg sync.WaitGroup
	t.Cleanup(func() { in.Close(); wg.Wait(); end() })
	require.NoError(t, in.(interface{ SetReadBuffer(int) error }).SetReadBuffer(4<<20))
	wg.Go(func() {
		rnd := rand.New(rand.NewPCG(1, 2))
		var held [][]byte
		passed := 0 // those that announce the session, so that the stream is known from its beginning
		buf := make([]byte, 64<<10)
		for {
			_ = in.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			n, from, err := in.ReadFrom(buf)
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				n = 0
			} else if err != nil {
				return
			}
			if n > 0 && addrIP(from).Equal(net.ParseIP(hosts[0].ip)) {
				if passed < 3 {
					passed++
					send(buf[:n])
					continue
				}
				held = append(held, append([]byte(nil), buf[:n]...))
			}
			for len(held) > 0 && (n == 0 || len(held) > 5) {
				k := rnd.IntN(len(held))
				send(held[k])
				if rnd.IntN(5) == 0 {
					send(held[k])
				}
				held = append(held[:k], held[k+1:]...)
			}
		}
	})
}}

// openRelay opens sockets on h that hear the group and send to it.
func openRelay(t testing.TB, scheme string, h host) (in net.PacketConn, send func([]byte), end func()) {
	t.Helper()
	group, network := net.IPv4(239, 192, 1, 1), "4"
	if strings.Contains(h.ip, ":") {
		group, network = net.ParseIP("ff12::77"), "6"
	}
	to, listen, local := net.Addr(&net.UDPAddr{IP: group, Port: 5555}), ":5555", net.JoinHostPort(h.ip, "0")
	if scheme == "pgm" {
		to, listen, local = &net.IPAddr{IP: group}, "", h.ip
		network = "ip" + network + ":113"
	} else {
		network = "udp" + network
	}
	var out net.PacketConn
	h.do(t, func() {
		ifi, err := net.InterfaceByName("eth0")
		require.NoError(t, err)
		in, err = net.ListenPacket(network, listen)
		require.NoError(t, err)
		out, err = net.ListenPacket(network, local)
		require.NoError(t, err)
		if group.To4() != nil {
			require.NoError(t, ipv4.NewPacketConn(in).JoinGroup(ifi, &net.UDPAddr{IP: group}))
			require.NoError(t, ipv4.NewPacketConn(out).SetMulticastInterface(ifi))
			require.NoError(t, ipv4.NewPacketConn(out).SetMulticastLoopback(false))
		} else {
			require.NoError(t, ipv6.NewPacketConn(in).JoinGroup(ifi, &net.UDPAddr{IP: group}))
			require.NoError(t, ipv6.NewPacketConn(out).SetMulticastInterface(ifi))
			require.NoError(t, ipv6.NewPacketConn(out).SetMulticastLoopback(false))
		}
	})
	return in, func(b []byte) { _, _ = out.WriteTo(b, to) }, func() { out.Close() }
}

func addrIP(a net.Addr) net.IP {
	if a, ok := a.(*net.IPAddr); ok {
		return a.IP
	}
	return a.(*net.UDPAddr).IP
}

func troubles() []trouble {
	if os.Getenv("SOLOMQ_TEST") == "full" {
		return []trouble{loss(0), loss(1), loss(10), loss(30), blackout, jumbled}
	}
	return []trouble{loss(0), loss(10), jumbled}
}

// pgmCount is the number of messages of a stream.
func pgmCount() int {
	if os.Getenv("SOLOMQ_TEST") == "full" {
		return 2000
	}
	return 400
}

// eachTrouble runs f with a network of three hosts, the subscriber's being the
// second.
func eachTrouble(t *testing.T, f func(t *testing.T, scheme string, hosts []host, tr trouble)) {
	eachTroubleOf(t, newNetwork, f)
}

func eachTroubleOf(t *testing.T, network func(testing.TB, int) []host, f func(t *testing.T, scheme string, hosts []host, tr trouble)) {
	for _, scheme := range pgmSchemes {
		for _, tr := range troubles() {
			t.Run(scheme+" "+tr.name, func(t *testing.T) {
				hosts := network(t, 3)
				if tr.begin != nil && tr.early {
					tr.begin(t, scheme, hosts)
				}
				f(t, scheme, hosts, tr)
			})
		}
	}
}

var pgmSchemes = []string{"epgm", "pgm"}

// streamBegins is how many messages make a stream one that has begun.
const streamBegins = 2 * pgmQueue

// run lets the trouble begin. Begun is to be called when the stream has; then wait
// waits for the trouble's end.
func (tr trouble) run(t testing.TB, scheme string, hosts []host) (begun func(), wait func()) {
	if tr.begin != nil && !tr.early {
		tr.begin(t, scheme, hosts)
	}
	var wg sync.WaitGroup
	return func() {
		if tr.strike != nil {
			wg.Go(tr.strike(t, hosts))
		}
	}, wg.Wait
}

// A publisher of ours and a subscriber of libzmq's.
func TestPGMLibzmqSubscriber(t *testing.T) {
	eachTrouble(t, func(t *testing.T, scheme string, hosts []host, tr trouble) {
		sub := startPGM(t, hosts[1], scheme, "sub", 0, pgmCount())
		opts := &msgcore.Options{Transport: multicast()}
		opts.Transport.MulticastRate = pgmPeerRate
		spms := hearSPMs(t, hosts[1], scheme)
		pub := pgmOpen(t, hosts[0], scheme, msgcore.Pub, opts)
		joined := make(chan struct{})
		go func() {
			sub.line(t)
			close(joined)
		}()
		// libzmq does not tell when it has heard an SPM, without which it asks for
		// nothing: one comes to its host while it is there.
		for waiting := true; waiting; {
			select {
			case <-joined:
				waiting = false
			default:
			}
			require.NoError(t, pub.Send(t.Context(), []byte("sync")))
			spms(t)
		}
		begun, wait := tr.run(t, scheme, hosts)
		sendStream(t, pub, 0, streamBegins)
		begun()
		sendStream(t, pub, streamBegins, pgmCount())
		said := sub.line(t)
		wait()
		t.Logf("%+v", pub.Stats().Packets)
		require.Equal(t, "ok", said)
		require.Zero(t, pub.Stats().Packets.Malformed)
	})
}

// hearSPMs returns a function that waits for the next SPM that comes to h.
func hearSPMs(t testing.TB, h host, scheme string) (next func(testing.TB)) {
	protocol, skip := "ip4:113", 0
	if scheme == "epgm" {
		protocol, skip = "ip4:17", 8 // the header of UDP
	}
	var in net.PacketConn
	h.do(t, func() {
		var err error
		in, err = net.ListenPacket(protocol, "0.0.0.0")
		require.NoError(t, err)
	})
	spms := make(chan struct{}) // those that come while nobody waits are not told
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, _, err := in.ReadFrom(buf)
			if err != nil {
				return
			}
			if n > skip+16 && buf[skip+4] == 0 {
				select {
				case spms <- struct{}{}:
				default:
				}
			}
		}
	})
	t.Cleanup(func() { in.Close(); wg.Wait() })
	return func(t testing.TB) {
		select {
		case <-spms:
		case <-time.After(patience):
			t.Fatal("no SPM comes")
		}
	}
}

// A publisher of libzmq's and a subscriber of ours.
func TestPGMLibzmqPublisher(t *testing.T) {
	eachTrouble(t, func(t *testing.T, scheme string, hosts []host, tr trouble) {
		sub := pgmOpen(t, hosts[1], scheme, msgcore.Sub, nil)
		pub := startPGM(t, hosts[0], scheme, "pub", 0, pgmCount())
		begun, wait := tr.run(t, scheme, hosts)
		_, err := fmt.Fprintln(pub.in)
		require.NoError(t, err)
		recvStream(t, sub, 0, streamBegins)
		begun()
		recvStream(t, sub, streamBegins, pgmCount())
		require.Equal(t, "sent", pub.line(t))
		wait()
		t.Logf("%+v", sub.Stats().Packets)
		require.Zero(t, sub.Stats().Packets.Lost)
	})
}

// Both of ours.
func TestPGM(t *testing.T) { eachTrouble(t, oursBoth) }

func oursBoth(t *testing.T, scheme string, hosts []host, tr trouble) {
	sub := pgmOpen(t, hosts[1], scheme, msgcore.Sub, &msgcore.Options{Transport: transport.Options{MulticastRate: 1000}})
	pub := pgmOpen(t, hosts[0], scheme, msgcore.Pub, nil)
	begun, wait := tr.run(t, scheme, hosts)
	var wg sync.WaitGroup
	wg.Go(func() { sendStream(t, pub, 0, pgmCount()) })
	recvStream(t, sub, 0, streamBegins)
	begun()
	recvStream(t, sub, streamBegins, pgmCount())
	wg.Wait()
	wait()
	t.Logf("%+v %+v", sub.Stats().Packets, pub.Stats().Packets)
	require.Zero(t, sub.Stats().Packets.Lost+sub.Stats().Packets.Malformed+pub.Stats().Packets.Malformed)
}

// Over IPv6 it is the same. (libzmq's has no pgm over IPv6.)
func TestPGMIPv6(t *testing.T) {
	eachTroubleOf(t, newNetworkIPv6, oursBoth)
}
