package msgcore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
	_ "github.com/solomq/solomq/transport/udp"
)

// bindDish returns a DISH bound to endpoint, in groups.
func bindDish(t testing.TB, endpoint string, groups ...string) (*msgcore.Socket, string) {
	t.Helper()
	dish := msgcore.NewDish(nil)
	t.Cleanup(func() { dish.Close() })
	for _, g := range groups {
		require.NoError(t, dish.Join(g))
	}
	bound, err := dish.Bind(t.Context(), endpoint)
	require.NoError(t, err)
	return dish, bound
}

func connectRadio(t testing.TB, endpoint string, opts *msgcore.Options) *msgcore.Socket {
	t.Helper()
	radio := msgcore.NewRadio(opts)
	t.Cleanup(func() { radio.Close() })
	require.NoError(t, radio.Connect(endpoint))
	return radio
}

func recvFrames(t testing.TB, s *msgcore.Socket) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := s.Recv(ctx)
	require.NoError(t, err)
	var text []string
	for _, f := range m.Frames {
		text = append(text, string(f))
	}
	m.Release()
	return text
}

func TestUDPRadioDish(t *testing.T) {
	for _, at := range []string{"udp://127.0.0.1:*", "udp://[::1]:*", "udp://*:*", "udp://lo:*"} {
		t.Run(at, func(t *testing.T) {
			if strings.Contains(at, "::1") && !hasIPv6() {
				t.Skip("no IPv6 here")
			}
			dish, bound := bindDish(t, at, "a", "c")
			radio := connectRadio(t, strings.Replace(bound, "0.0.0.0", "127.0.0.1", 1), nil)
			for i, m := range []string{"a one", "b two", "c three", "a " + strings.Repeat("x", 8000), "a ", "c end"} {
				group, body, _ := strings.Cut(m, " ")
				require.NoError(t, radio.Send(t.Context(), []byte(group), []byte(body)), i)
			}
			require.Equal(t, []string{"a", "one"}, recvFrames(t, dish))
			require.Equal(t, []string{"c", "three"}, recvFrames(t, dish))
			require.Equal(t, []string{"a", strings.Repeat("x", 8000)}, recvFrames(t, dish))
			require.Equal(t, []string{"a", ""}, recvFrames(t, dish))
			require.Equal(t, []string{"c", "end"}, recvFrames(t, dish))
			require.NoError(t, dish.Unbind(bound))
			require.NoError(t, radio.Close())
		})
	}
}

// hasIPv6 reports whether ::1 can be used here.
func hasIPv6() bool {
	c, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// What does not fit into a datagram is the sender's error, and nobody gets a part
// of it.
func TestUDPTooLarge(t *testing.T) {
	dish, bound := bindDish(t, "udp://127.0.0.1:*", "g")
	radio := connectRadio(t, bound, nil)
	require.NoError(t, radio.Send(t.Context(), []byte("g"), make([]byte, 8190)))
	require.ErrorIs(t, radio.Send(t.Context(), []byte("g"), make([]byte, 8191)), msgcore.ErrMessageTooBig)
	require.NoError(t, radio.Send(t.Context(), []byte("g"), []byte("next")))
	require.Len(t, recvFrames(t, dish)[1], 8190)
	require.Equal(t, []string{"g", "next"}, recvFrames(t, dish))

	largest := connectRadio(t, bound, &msgcore.Options{Transport: transport.Options{MaxPacket: 65507}})
	require.NoError(t, largest.Send(t.Context(), []byte("g"), make([]byte, 65505)))
	require.ErrorIs(t, largest.Send(t.Context(), []byte("g"), make([]byte, 65506)), msgcore.ErrMessageTooBig)
	require.Len(t, recvFrames(t, dish)[1], 65505)

	dgram := msgcore.NewDgram(&msgcore.Options{Transport: transport.Options{MaxPacket: 100}})
	defer dgram.Close()
	_, err := dgram.Bind(t.Context(), "udp://127.0.0.1:*")
	require.NoError(t, err)
	to := []byte("127.0.0.1:9")
	require.NoError(t, dgram.Send(t.Context(), to, make([]byte, 100)))
	require.ErrorIs(t, dgram.Send(t.Context(), to, make([]byte, 101)), msgcore.ErrMessageTooBig)
}

// The bytes of a datagram are those of libzmq, and what is no such datagram is
// counted and passed over.
func TestUDPWire(t *testing.T) {
	peer, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer peer.Close()
	radio := connectRadio(t, "udp://"+peer.LocalAddr().String(), nil)
	require.NoError(t, radio.Send(t.Context(), []byte("grp"), []byte("HELLO")))
	buf := make([]byte, 100)
	require.NoError(t, peer.SetReadDeadline(time.Now().Add(patience)))
	n, from, err := peer.ReadFrom(buf)
	require.NoError(t, err)
	require.Equal(t, "\x03grpHELLO", string(buf[:n]))
	_, err = peer.WriteTo([]byte("an answer that nobody asked for"), from)
	require.NoError(t, err)

	dish, bound := bindDish(t, "udp://127.0.0.1:*", "grp")
	to, err := net.ResolveUDPAddr("udp4", strings.TrimPrefix(bound, "udp://"))
	require.NoError(t, err)
	for _, d := range []string{"", "\x04grp", "\xff", "\x03grpHELLO"} {
		_, err := peer.WriteTo([]byte(d), to)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"grp", "HELLO"}, recvFrames(t, dish))
	require.Equal(t, uint64(3), dish.Stats().Packets.Malformed)
}

func TestUDPDgram(t *testing.T) {
	dgram := msgcore.NewDgram(nil)
	defer dgram.Close()
	bound, err := dgram.Bind(t.Context(), "udp://127.0.0.1:*")
	require.NoError(t, err)
	_, err = dgram.Bind(t.Context(), "udp://127.0.0.1:*")
	require.ErrorContains(t, err, "one endpoint")
	require.ErrorContains(t, dgram.Connect(bound), "a DGRAM binds")

	peer, err := net.Dial("udp4", strings.TrimPrefix(bound, "udp://"))
	require.NoError(t, err)
	defer peer.Close()
	for _, body := range []string{"ping", "", strings.Repeat("y", 9000)} {
		_, err = peer.Write([]byte(body))
		require.NoError(t, err)
		m := recvFrames(t, dgram)
		require.Equal(t, []string{peer.LocalAddr().String(), body}, m)
		if len(body) > 8192 {
			require.ErrorIs(t, dgram.Send(t.Context(), []byte(m[0]), []byte(body)), msgcore.ErrMessageTooBig)
			continue
		}
		// libzmq's addresses end with a zero byte; both are taken.
		require.NoError(t, dgram.Send(t.Context(), []byte(m[0]+"\x00"), []byte(body)))
		buf := make([]byte, 10000)
		require.NoError(t, peer.SetReadDeadline(time.Now().Add(patience)))
		n, err := peer.Read(buf)
		require.NoError(t, err)
		require.Equal(t, body, string(buf[:n]))
	}
	for _, frames := range [][]string{{"x"}, {"127.0.0.1", "x"}, {"host:1", "x"}, {"127.0.0.1:0", "x"}, {"127.0.0.1:1", "x", "y"}} {
		var list [][]byte
		for _, f := range frames {
			list = append(list, []byte(f))
		}
		require.Error(t, dgram.Send(t.Context(), list...), frames)
	}
}

// A group is shared by any number of sockets of a host. It is on the loopback
// interface here, so that nothing leaves the machine.
func TestUDPMulticast(t *testing.T) {
	port := freeUDPPort(t)
	at := fmt.Sprintf("udp://127.0.0.1;239.255.77.1:%d", port)
	one, bound := bindDish(t, at, "g")
	require.Equal(t, at, bound)
	two := msgcore.NewDish(nil)
	defer two.Close()
	require.NoError(t, two.Join("g"))
	require.NoError(t, two.Connect(at))
	radio := msgcore.NewRadio(nil)
	defer radio.Close()
	_, err := radio.Bind(t.Context(), at)
	require.NoError(t, err)
	require.NoError(t, radio.Send(t.Context(), []byte("g"), []byte("all")))
	require.Equal(t, []string{"g", "all"}, recvFrames(t, one))
	require.Equal(t, []string{"g", "all"}, recvFrames(t, two))
}

// freeUDPPort returns a port that nobody uses; see unused.
func freeUDPPort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		c, err := net.ListenPacket("udp4", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			require.NoError(t, c.Close())
			return port
		}
	}
	require.FailNow(t, "no port is free")
	return 0
}

func TestPacketErrors(t *testing.T) {
	for name, test := range map[string]struct {
		s       *msgcore.Socket
		bind    string
		connect string
		want    string
	}{
		"type over udp":      {s: msgcore.NewPush(nil), connect: "udp://127.0.0.1:5", want: "RADIO, DISH and DGRAM do"},
		"DGRAM over tcp":     {s: msgcore.NewDgram(nil), bind: "tcp://127.0.0.1:*", want: "udp only"},
		"RADIO binds":        {s: msgcore.NewRadio(nil), bind: "udp://127.0.0.1:*", want: "a sender connects"},
		"DISH connects":      {s: msgcore.NewDish(nil), connect: "udp://127.0.0.1:5", want: "a receiver binds"},
		"to a wildcard":      {s: msgcore.NewRadio(nil), connect: "udp://127.0.0.1:*", want: "wildcard"},
		"group, any port":    {s: msgcore.NewDish(nil), bind: "udp://239.1.1.1:*", want: "a group needs"},
		"no group":           {s: msgcore.NewDish(nil), bind: "udp://lo;127.0.0.1:5", want: "no multicast group"},
		"unknown interface":  {s: msgcore.NewDish(nil), bind: "udp://nosuch0;239.1.1.1:5", want: "neither the name nor the address"},
		"wrong family":       {s: msgcore.NewDish(nil), bind: "udp://127.0.0.1;[ff02::1]:5", want: "not of the same IP version"},
		"a mechanism":        {s: msgcore.NewDish(&msgcore.Options{Mechanism: zmtp.PlainClient("a", "b")}), bind: "udp://127.0.0.1:*", want: "need a connection"},
		"too large a packet": {s: msgcore.NewDish(&msgcore.Options{Transport: transport.Options{MaxPacket: 65508}}), bind: "udp://127.0.0.1:*", want: "MaxPacket"},
	} {
		t.Run(name, func(t *testing.T) {
			defer test.s.Close()
			var err error
			if test.bind != "" {
				_, err = test.s.Bind(t.Context(), test.bind)
			} else {
				err = test.s.Connect(test.connect)
			}
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, "msgcore: ")
		})
	}
	_, err := msgcore.NewDgram(nil).Recv(cancelled(t))
	require.ErrorIs(t, err, context.Canceled)
}

func cancelled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A socket that is closed has handed all it was given to the system.
func TestUDPCloseFlushes(t *testing.T) {
	dish, bound := bindDish(t, "udp://127.0.0.1:*", "g")
	const n = 100
	radio := connectRadio(t, bound, nil)
	for i := range n {
		require.NoError(t, radio.Send(t.Context(), []byte("g"), fmt.Append(nil, i)))
	}
	start := time.Now()
	require.NoError(t, radio.Close())
	require.Less(t, time.Since(start), patience)
	for i := range n {
		require.Equal(t, fmt.Sprint(i), recvFrames(t, dish)[1])
	}
	require.True(t, errors.Is(radio.Send(t.Context(), []byte("g"), nil), net.ErrClosed))
}

func TestUDPLibzmqDish(t *testing.T) {
	node := startNode(t, "dish", fmt.Sprintf("udp://127.0.0.1:%d", freeUDPPort(t)), "grp", "two")
	radio := connectRadio(t, node.endpoint, nil)
	say := func(m string) {
		group, body, _ := strings.Cut(m, " ")
		require.NoError(t, radio.Send(t.Context(), []byte(group), []byte(body)))
	}
	// libzmq's thread for I/O binds the socket, when bind may have returned already.
	line := ""
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for deadline := time.Now().Add(patience); line == ""; {
		require.True(t, time.Now().Before(deadline), "node hears nothing")
		say("grp sync")
		select {
		case line = <-node.lines:
		case <-every.C:
		}
	}
	for _, m := range []string{"grp HELLO", "other no", "two " + strings.Repeat("z", 8000), "grp end"} {
		say(m)
	}
	for line == "grp sync" {
		line = node.line(t)
	}
	require.Equal(t, "grp HELLO", line)
	require.Equal(t, "two "+strings.Repeat("z", 8000), node.line(t))
	require.Equal(t, "grp end", node.line(t))
}

func TestUDPLibzmqRadio(t *testing.T) {
	dish, bound := bindDish(t, "udp://127.0.0.1:*", "grp")
	node := startNode(t, "radio", bound)
	body := string(bytes.Repeat([]byte("w"), 8000))
	for _, line := range []string{"grp HELLO", "other no", "grp " + body, "grp end"} {
		node.say(t, line)
	}
	require.Equal(t, []string{"grp", "HELLO"}, recvFrames(t, dish))
	require.Equal(t, []string{"grp", body}, recvFrames(t, dish))
	require.Equal(t, []string{"grp", "end"}, recvFrames(t, dish))
}
