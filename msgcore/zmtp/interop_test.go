package zmtp_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// python is the interpreter for which distributions package pyzmq.
const python = "/usr/bin/python3"

// libzmq starts testdata/peer.py and returns what it prints first, its endpoint,
// and the rest.
func libzmq(t *testing.T, args ...string) (endpoint string, out *bufio.Reader) {
	t.Helper()
	if err := exec.Command(python, "-c", "import zmq").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no libzmq peer: %s cannot import zmq (install python3-zmq): %v", python, err)
		}
		t.Skipf("no libzmq peer: %s cannot import zmq (install python3-zmq): %v", python, err)
	}
	cmd := exec.Command(python, append([]string{"testdata/peer.py"}, args...)...)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr := new(bytes.Buffer)
	cmd.Stderr = stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		err := cmd.Wait()
		if t.Failed() {
			t.Logf("peer.py %q: %v\n%s", args, err, stderr)
		}
	})
	out = bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	require.NoError(t, err, stderr)
	return strings.TrimSpace(line), out
}

// generous bounds what would hang if it were broken.
func generous(t *testing.T, conn net.Conn) context.Context {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// dial connects to a libzmq peer that has bound.
func dial(t *testing.T, cfg *zmtp.Config, role, heartbeat string) (*zmtp.Conn, error) {
	t.Helper()
	endpoint, _ := libzmq(t, role, "bind", "tcp://127.0.0.1:*", heartbeat)
	conn, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	require.NoError(t, err)
	c, err := zmtp.Handshake(generous(t, conn), conn, cfg)
	if err == nil {
		require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	}
	return c, err
}

// accept waits for a libzmq peer that connects.
func accept(t *testing.T, cfg *zmtp.Config, role string) (*zmtp.Conn, *bufio.Reader) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, out := libzmq(t, role, "connect", "tcp://"+l.Addr().String(), "0")
	conn, err := l.Accept()
	require.NoError(t, err)
	c, err := zmtp.Handshake(generous(t, conn), conn, cfg)
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return c, out
}

// echo sends messages of all sizes through a peer and wants them back.
func echo(t *testing.T, c *zmtp.Conn) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 254, 255, 256, 257, 8191, 8192, 65535, 65536, 1 << 20} {
		body := make([]byte, n)
		for i := range body {
			body[i] = byte(r.Uint32())
		}
		want := [][]byte{body, {}, []byte("tail"), body}
		require.NoError(t, c.WriteMessage(want...))
		got, err := c.ReadMessage()
		require.NoError(t, err)
		require.True(t, equal(want, got), "%d bytes", n)
	}
}

func equal(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func TestLibzmqRouterEchoesOurDealer(t *testing.T) {
	c, err := dial(t, &zmtp.Config{Properties: zmtp.Properties{zmtp.SocketType: "DEALER", zmtp.Identity: "me"}}, "router_echo", "0")
	require.NoError(t, err)
	require.Equal(t, v31, c.Version())
	require.Equal(t, "ROUTER", c.Peer().Get(zmtp.SocketType))
	echo(t, c)
}

func TestLibzmqDealerEchoesOurRouter(t *testing.T) {
	c, _ := accept(t, &zmtp.Config{Properties: props("ROUTER")}, "dealer_echo")
	require.Equal(t, zmtp.Properties{zmtp.SocketType: "DEALER", zmtp.Identity: "myid"}, c.Peer())
	echo(t, c)
}

// libzmq drops a peer that leaves its PINGs unanswered.
func TestLibzmqIsAnsweredItsPings(t *testing.T) {
	c, err := dial(t, &zmtp.Config{Properties: props("DEALER")}, "router_echo", "10")
	require.NoError(t, err)
	for pings := 0; pings < 60; { // one and a half times its time-out
		f, err := c.ReadAny()
		require.NoError(t, err)
		name, data, err := zmtp.ParseCommand(f.Body)
		require.NoError(t, err)
		if name == zmtp.CommandPing {
			ttl, _, err := zmtp.ParsePing(data)
			require.NoError(t, err)
			require.Equal(t, time.Minute, ttl)
			pings++
		}
	}
	require.NoError(t, c.WriteCommand(zmtp.CommandPing, append([]byte{0, 50}, "mine"...)))
	for {
		f, err := c.ReadAny()
		require.NoError(t, err)
		name, data, err := zmtp.ParseCommand(f.Body)
		require.NoError(t, err)
		if name == zmtp.CommandPong {
			require.Equal(t, "mine", string(data))
			break
		}
	}
	echo(t, c)
}

func TestLibzmqSubscribes(t *testing.T) {
	c, out := accept(t, &zmtp.Config{Properties: props("PUB")}, "sub")
	f, err := c.ReadAny()
	require.NoError(t, err)
	require.Equal(t, zmtp.Frame{Command: true, Body: unhex("09'SUBSCRIBE'4142")}, f)
	require.NoError(t, c.WriteMessage([]byte("XY no")))
	require.NoError(t, c.WriteMessage([]byte("ABC"), []byte("yes")))
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "[b'ABC', b'yes']\n", line)
	f, err = c.ReadAny()
	require.NoError(t, err)
	require.Equal(t, zmtp.Frame{Command: true, Body: unhex("06'CANCEL'4142")}, f)
}

func TestLibzmqOfAWrongType(t *testing.T) {
	refusal := errors.New("REQ cannot talk to PUB")
	_, err := dial(t, &zmtp.Config{Properties: props("REQ"), Check: func(p zmtp.Properties) error {
		require.Equal(t, "PUB", p.Get(zmtp.SocketType))
		return refusal
	}}, "pub", "0")
	if !errors.Is(err, refusal) {
		// libzmq judges us as well, and may be the quicker one: it closes at once.
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
}
