package msgcore_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
)

// One that comes late begins with a whole message, and gets all that follow.
func TestPGMLateJoiner(t *testing.T) {
	hosts := newNetwork(t, 2)
	pub := pgmOpen(t, hosts[0], "epgm", msgcore.Pub, nil)
	ctx, stop := context.WithCancel(t.Context())
	begun := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			sendStream(t, pub, i, i+1)
			if i == 150 {
				close(begun)
			}
		}
	})
	<-begun
	sub := pgmOpen(t, hosts[1], "epgm", msgcore.Sub, nil)
	m, err := sub.Recv(t.Context())
	require.NoError(t, err)
	var first int
	_, err = fmt.Sscanf(string(m.Frames[0]), "m%06d", &first)
	require.NoError(t, err)
	require.Equal(t, pgmMessage(first), m.Frames)
	require.Greater(t, first, 100)
	recvStream(t, sub, first+1, first+300)
	stop()
	wg.Wait()
}

// A publisher that is killed and comes back is a new session, although libzmq
// gives it the same id.
func TestPGMRestart(t *testing.T) {
	hosts := newNetwork(t, 2)
	sub := pgmOpen(t, hosts[1], "epgm", msgcore.Sub, nil)
	for range 2 {
		pub := startPGM(t, hosts[0], "epgm", "pub", 0, 150)
		_, err := fmt.Fprintln(pub.in)
		require.NoError(t, err)
		recvStream(t, sub, 0, 150)
		require.NoError(t, pub.cmd.Process.Kill())
		pub.end(t)
	}
	require.Zero(t, sub.Stats().Packets.Lost)
}

// streamWithLoss sends messages from pub to sub, whose host loses so many percent of
// the packets once it is known that it hears pub.
func streamWithLoss(t *testing.T, pub, sub *msgcore.Socket, h host, percent int) {
	t.Helper()
	sendStream(t, pub, 0, 10)
	recvStream(t, sub, 0, 10)
	h.lose(t, percent)
	var wg sync.WaitGroup
	wg.Go(func() { sendStream(t, pub, 10, pgmCount()) })
	recvStream(t, sub, 10, pgmCount())
	wg.Wait()
}

// Packets that the system carries together are lost together, and repaired.
func TestPGMTogether(t *testing.T) {
	hosts := newNetwork(t, 2)
	hosts[0].together(t)
	sub := pgmOpen(t, hosts[1], "epgm", msgcore.Sub, nil)
	pub := pgmOpen(t, hosts[0], "epgm", msgcore.Pub, nil)
	streamWithLoss(t, pub, sub, hosts[1], 20)
	require.Zero(t, sub.Stats().Packets.Lost+sub.Stats().Packets.Malformed)
}

// With parity, what two subscribers lose is repaired by the same packets.
func TestPGMParity(t *testing.T) {
	for _, scheme := range pgmSchemes {
		t.Run(scheme, func(t *testing.T) {
			hosts := newNetwork(t, 3)
			opts := &msgcore.Options{Transport: multicast()}
			opts.Transport.MulticastParity = 16
			subs := []*msgcore.Socket{
				pgmOpen(t, hosts[1], scheme, msgcore.Sub, nil),
				pgmOpen(t, hosts[2], scheme, msgcore.Sub, nil),
			}
			pub := pgmOpen(t, hosts[0], scheme, msgcore.Pub, opts)
			sendStream(t, pub, 0, 10)
			for i, sub := range subs {
				recvStream(t, sub, 0, 10)
				hosts[1+i].lose(t, 10)
			}
			var wg sync.WaitGroup
			wg.Go(func() { sendStream(t, pub, 10, pgmCount()) })
			for _, sub := range subs {
				recvStream(t, sub, 10, pgmCount())
				require.Positive(t, sub.Stats().Packets.Repaired)
				require.Zero(t, sub.Stats().Packets.Lost+sub.Stats().Packets.Malformed)
			}
			wg.Wait()
		})
	}
}

// Two publishers of one group and port are told apart, while packets are lost.
func TestPGMTwoPublishers(t *testing.T) {
	hosts := newNetwork(t, 3)
	sub := pgmOpen(t, hosts[1], "epgm", msgcore.Sub, nil)
	pubs := []*msgcore.Socket{pgmOpen(t, hosts[0], "epgm", msgcore.Pub, nil), pgmOpen(t, hosts[2], "epgm", msgcore.XPub, nil)}
	var wg sync.WaitGroup
	const n = 500
	for k, pub := range pubs {
		wg.Go(func() {
			for i := range n {
				require.NoError(t, pub.Send(t.Context(), fmt.Append(nil, k), fmt.Append(nil, i), make([]byte, i*7%4000)))
			}
		})
	}
	next := map[string]int{}
	for range 2 * n {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		m, err := sub.Recv(ctx)
		cancel()
		require.NoError(t, err)
		k := string(m.Frames[0])
		require.Equal(t, fmt.Sprint(next[k]), string(m.Frames[1]))
		require.Len(t, m.Frames[2], next[k]*7%4000)
		next[k]++
		if next[k] == 1 && len(next) == len(pubs) { // both are heard: what is lost now is repaired
			hosts[1].lose(t, 10)
		}
	}
	wg.Wait()
}

// What nobody has any more is told, by an event too, and the stream goes on with a
// whole message.
func TestPGMBehindTheWindow(t *testing.T) {
	hosts := newNetwork(t, 2)
	var lost atomic.Uint64
	sub := pgmOpen(t, hosts[1], "epgm", msgcore.Sub, &msgcore.Options{Monitor: func(e msgcore.Event) {
		if e.Kind == msgcore.PacketsLost {
			lost.Add(e.Lost)
		}
	}})
	opts := &msgcore.Options{Transport: multicast()}
	opts.Transport.MulticastRecovery = time.Millisecond // as few packets as there can be: 256
	pub := pgmOpen(t, hosts[0], "epgm", msgcore.Pub, opts)
	sendStream(t, pub, 0, 150)
	recvStream(t, sub, 0, 150)
	hosts[1].filter(t, "")
	sendStream(t, pub, 150, 901) // over 1000 packets
	hosts[1].filter(t, "-")
	// One packet is enough to ask for what is left by, and the window stays where it is
	// until all of that has come.
	sendStream(t, pub, 901, 902)
	m, err := sub.Recv(t.Context())
	require.NoError(t, err)
	var first int
	_, err = fmt.Sscanf(string(m.Frames[0]), "m%06d", &first)
	require.NoError(t, err)
	require.Greater(t, first, 150)
	require.Equal(t, pgmMessage(first), m.Frames)
	recvStream(t, sub, first+1, 902)
	sendStream(t, pub, 902, 1000)
	recvStream(t, sub, 902, 1000)
	require.Eventually(t, func() bool { return lost.Load() > 100 && lost.Load() == sub.Stats().Packets.Lost }, patience, time.Millisecond)
}

// Twenty subscribers, one of which loses 30 %: the others are not slowed. Where it
// loses nothing they are measured at the same time, so that what else the machine does
// slows both.
func TestPGMManySubscribers(t *testing.T) {
	const joined = 10
	field := func(percent int) (stream func() time.Duration) {
		hosts := newNetwork(t, 3)
		opts := &msgcore.Options{Transport: transport.Options{MulticastRate: 20_000}}
		var subs []*msgcore.Socket
		for range 19 {
			subs = append(subs, pgmOpen(t, hosts[1], "epgm", msgcore.Sub, nil))
		}
		poor := pgmOpen(t, hosts[2], "epgm", msgcore.Sub, nil)
		pub := pgmOpen(t, hosts[0], "epgm", msgcore.Pub, opts)
		// A subscriber begins with the first packet that it hears: losses begin behind it.
		sendStream(t, pub, 0, joined)
		for _, s := range append(subs, poor) {
			recvStream(t, s, 0, joined)
		}
		hosts[2].lose(t, percent)
		return func() time.Duration {
			start := time.Now()
			var good, all sync.WaitGroup
			for _, s := range subs {
				good.Go(func() { recvStream(t, s, joined, pgmCount()) })
			}
			all.Go(func() { recvStream(t, poor, joined, pgmCount()) })
			all.Go(func() { sendStream(t, pub, joined, pgmCount()) })
			good.Wait()
			took := time.Since(start)
			all.Wait()
			t.Logf("%d %% lost: %v, %+v", percent, took, pub.Stats().Packets)
			return took
		}
	}
	clean, lossy := field(0), field(30)
	var both sync.WaitGroup
	var tookClean, tookLossy time.Duration
	both.Go(func() { tookClean = clean() })
	both.Go(func() { tookLossy = lossy() })
	both.Wait()
	require.Less(t, tookLossy, 2*tookClean+time.Second)
}

// Whatever is sent to them, both ends live, and count it.
func TestPGMHostile(t *testing.T) {
	hosts := newNetwork(t, 3)
	sub := pgmOpen(t, hosts[1], "epgm", msgcore.Sub, nil)
	pub := pgmOpen(t, hosts[0], "epgm", msgcore.Pub, nil)
	sendStream(t, pub, 0, 50)
	recvStream(t, sub, 0, 50)
	var out *net.UDPConn
	hosts[2].do(t, func() {
		var err error
		out, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(hosts[2].ip)})
		require.NoError(t, err)
	})
	defer out.Close()
	hit := func(b []byte) {
		for _, ip := range []string{hosts[0].ip, "239.192.1.1"} {
			_, _ = out.WriteTo(b, &net.UDPAddr{IP: net.ParseIP(ip), Port: 5555})
		}
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for n := range 1500 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		hit(b)
	}
	f, err := os.Open("../transport/pgm/testdata/libzmq-4.3.4.txt")
	require.NoError(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		_, text, _ := strings.Cut(s.Text(), " ")
		b, err := hex.DecodeString(text)
		require.NoError(t, err)
		for range 50 {
			bad := append([]byte(nil), b...)
			bad[rnd.IntN(len(bad))] ^= 1 << rnd.IntN(8)
			hit(bad)
		}
	}
	for port := range 2000 { // a scan, with nothing in it
		_, _ = out.WriteTo(nil, &net.UDPAddr{IP: net.ParseIP(hosts[0].ip), Port: 5000 + port})
	}
	var wg sync.WaitGroup
	wg.Go(func() { sendStream(t, pub, 50, 200) })
	recvStream(t, sub, 50, 200)
	wg.Wait()
	require.Positive(t, pub.Stats().Packets.Malformed)
	require.Positive(t, sub.Stats().Packets.Malformed)
}

// Wireshark's dissector finds nothing malformed in what we send.
func TestPGMDissected(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("no tshark (install tshark): %v", err)
	}
	hosts := newNetwork(t, 2)
	file := filepath.Join("/tmp", fmt.Sprintf("solomq-pgm-%d.pcap", os.Getpid())) // tshark drops its privileges
	defer os.Remove(file)
	capture := exec.Command("ip", "netns", "exec", hosts[1].ns, "tshark", "-q", "-i", "eth0", "-w", file)
	stderr, err := capture.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, capture.Start())
	s := bufio.NewScanner(stderr)
	for s.Scan() && !strings.Contains(s.Text(), "Capturing on") {
	}
	sub := pgmOpen(t, hosts[1], "epgm", msgcore.Sub, nil)
	opts := &msgcore.Options{Transport: multicast()}
	opts.Transport.MulticastParity = 16
	pub := pgmOpen(t, hosts[0], "epgm", msgcore.Pub, opts)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for { // until the capture has begun, it misses some
		info, err := os.Stat(file)
		if err == nil && info.Size() > 1000 {
			break
		}
		require.NoError(t, pub.Send(ctx, []byte("sync")))
		_, err = sub.Recv(ctx)
		require.NoError(t, err)
	}
	hosts[1].lose(t, 20)
	var wg sync.WaitGroup
	wg.Go(func() { sendStream(t, pub, 0, 150) })
	recvStream(t, sub, 0, 150)
	wg.Wait()
	require.NoError(t, pub.Close()) // and the end of the session, behind which the capture ends
	var other *net.UDPConn
	hosts[0].do(t, func() { other, err = net.ListenUDP("udp4", nil) })
	require.NoError(t, err)
	defer other.Close()
	behind := []byte("this is behind it")
	require.Eventually(t, func() bool {
		_, _ = other.WriteTo(behind, &net.UDPAddr{IP: net.ParseIP(hosts[1].ip), Port: 9})
		all, err := os.ReadFile(file)
		return err == nil && bytes.Contains(all, behind)
	}, patience, 100*time.Millisecond)
	require.NoError(t, capture.Process.Signal(os.Interrupt))
	for s.Scan() {
	}
	require.NoError(t, capture.Wait())
	fields := func(filter, field string) []string {
		out, err := exec.Command("tshark", "-r", file, "-d", "udp.port==5555,pgm", "-Y", filter, "-T", "fields", "-e", field).Output()
		require.NoError(t, err)
		return strings.Fields(string(out))
	}
	require.Empty(t, fields(`udp.port==5555 && (_ws.malformed || _ws.expert.severity == "Error" || !pgm)`, "frame.number"))
	types := map[string]int{}
	for _, typ := range fields("pgm", "pgm.hdr.type") {
		types[typ]++
	}
	for _, typ := range []string{"0x00", "0x04", "0x05", "0x08", "0x0a"} {
		require.Positive(t, types[typ], "%v", types)
	}
	require.NotEmpty(t, fields("pgm.hdr.type == 0 && frame contains 8e:04:00:00", "frame.number"), "the end of the session")
	for _, typ := range []string{"0x05", "0x08", "0x0a"} {
		require.NotEmpty(t, fields("pgm.hdr.type == "+typ+" && pgm.hdr.opts.parity == 1", "frame.number"), "of parity")
	}
}

// A subscriber hears its own group only, although another one of this host hears
// another group on the same port.
func TestEPGMTwoGroups(t *testing.T) {
	port := freeUDPPort(t)
	var pubs, subs []*msgcore.Socket
	for k := range 2 {
		at := fmt.Sprintf("epgm://127.0.0.1;239.255.77.%d:%d", 3+k, port)
		sub := msgcore.NewSub(nil)
		defer sub.Close()
		require.NoError(t, sub.Subscribe(""))
		require.NoError(t, sub.Connect(at))
		pub := msgcore.NewPub(&msgcore.Options{Transport: multicast()})
		defer pub.Close()
		require.NoError(t, pub.Connect(at))
		pubs, subs = append(pubs, pub), append(subs, sub)
	}
	for round := range 3 {
		for k, pub := range pubs {
			require.NoError(t, pub.Send(t.Context(), fmt.Append(nil, k, round)))
		}
		for k, sub := range subs {
			m, err := sub.Recv(t.Context())
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(k, round), string(m.Frames[0]))
		}
	}
}

// Sockets of one host hear each other, over the loopback interface here.
func TestEPGMSameHost(t *testing.T) {
	at := fmt.Sprintf("epgm://127.0.0.1;239.255.77.2:%d", freeUDPPort(t))
	var subs []*msgcore.Socket
	for range 2 {
		sub := msgcore.NewSub(nil)
		defer sub.Close()
		require.NoError(t, sub.Subscribe("m00000"))
		_, err := sub.Bind(t.Context(), at)
		require.NoError(t, err)
		subs = append(subs, sub)
	}
	xsub := msgcore.NewXSub(nil)
	defer xsub.Close()
	require.NoError(t, xsub.Subscribe("m000002"))
	require.NoError(t, xsub.Connect(at))
	pub := msgcore.NewPub(&msgcore.Options{Transport: multicast()})
	defer pub.Close()
	bound, err := pub.Bind(t.Context(), at)
	require.NoError(t, err)
	require.Equal(t, at, bound)
	require.NoError(t, pub.WaitSubscribers(t.Context(), 1))
	require.NoError(t, pub.Send(t.Context(), []byte("something else")))
	sendStream(t, pub, 0, 10)
	for _, sub := range subs {
		recvStream(t, sub, 0, 10)
	}
	recvStream(t, xsub, 2, 3)
	require.NoError(t, pub.Unbind(at))
}
