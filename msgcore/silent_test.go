package msgcore_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// silentEnv makes the test binary open connections that say nothing: their
// number and where to.
const silentEnv = "SOLOMQ_TEST_SILENT"

// TestSilentConnectionsHelper is no test, but the other process of one.
func TestSilentConnectionsHelper(t *testing.T) {
	n, addr := 0, ""
	if _, err := fmt.Sscan(os.Getenv(silentEnv), &n, &addr); err != nil {
		t.Skip("it is run by TestHostileSilence")
	}
	for i := range n {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			fmt.Println("failed after", i, err)
			return
		}
		defer c.Close()
	}
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadByte() // until the other one ends us
}

// Thousands of connections that say nothing are in nobody's way, and Close takes
// them all along.
func TestHostileSilence(t *testing.T) {
	for _, typ := range []msgcore.Type{msgcore.Rep, msgcore.Router, msgcore.Pub} {
		t.Run(typ.String(), func(t *testing.T) {
			n := sized(200, 10000)
			rest := goleak.IgnoreCurrent()
			s := open(t, typ, &msgcore.Options{Handshake: -1})
			endpoint := bindTo(t, s, anyPort)

			cmd := exec.Command(os.Args[0], "-test.run=^TestSilentConnectionsHelper$", "-test.v=false")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", silentEnv, n, strings.TrimPrefix(endpoint, "tcp://")))
			cmd.Stderr = os.Stderr
			stdin, err := cmd.StdinPipe()
			require.NoError(t, err)
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			defer func() {
				stdin.Close()
				require.NoError(t, cmd.Wait())
			}()
			healthy(t, s, endpoint) // while they come
			line, err := bufio.NewReader(stdout).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "ready\n", line)
			healthy(t, s, endpoint)

			closed := make(chan error, 1)
			go func() { closed <- s.Close() }()
			select {
			case err := <-closed:
				require.NoError(t, err)
			case <-time.After(patience):
				require.FailNow(t, "Close hangs")
			}
			goleak.VerifyNone(t, rest, goleak.IgnoreTopFunction("os/exec.(*Cmd).Wait"))
		})
	}
}

// What does not shake hands in time is closed, however it delays.
func TestHostileHandshakeTimeout(t *testing.T) {
	good := after(greeting(3, 1), readyOf("PUSH"))
	for _, c := range []struct {
		name string
		say  []byte
		drip bool
	}{
		{"silence", nil, false},
		{"a byte", good[:1], false},
		{"half a greeting", good[:30], false},
		{"a greeting", good[:64], false},
		{"half a command", good[:70], false},
		{"byte after byte", good, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, w := watched(msgcore.Options{Handshake: 100 * time.Millisecond})
			s := open(t, msgcore.Pull, o)
			endpoint := bindTo(t, s, anyPort)
			p := rawDial(t, endpoint)
			if c.drip {
				every := time.NewTicker(5 * time.Millisecond)
				defer every.Stop()
				for _, b := range c.say[:len(c.say)-1] {
					if _, err := p.Write([]byte{b}); err != nil {
						break
					}
					<-every.C
				}
			} else {
				p.send(t, c.say...)
			}
			e := w.times(t, 1, msgcore.HandshakeFailed)
			require.ErrorContains(t, e.Err, "Options.Handshake")
			require.ErrorContains(t, e.Err, "100ms")
			p.ended(t)
			healthy(t, s, endpoint)
		})
	}
}

// The same for a server that says nothing to us, and is dialed again.
func TestHostileSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	o, w := watched(msgcore.Options{
		Handshake: 50 * time.Millisecond, Reconnect: msgcore.Reconnect{Interval: time.Millisecond},
	})
	s := open(t, msgcore.Push, o)
	require.NoError(t, s.Connect("tcp://"+l.Addr().String()))
	sendTexts(t, s, "patient")
	for range 2 {
		c, err := l.Accept()
		require.NoError(t, err)
		defer c.Close()
	}
	require.ErrorContains(t, w.times(t, 1, msgcore.HandshakeFailed).Err, "Options.Handshake")
	require.NoError(t, l.(*net.TCPListener).SetDeadline(time.Now().Add(patience)))
	for heard := false; !heard; { // on a busy machine one that speaks may be too late, too
		c, err := l.Accept()
		require.NoError(t, err)
		_, err = zmtp.Handshake(limited(t), c, &zmtp.Config{Properties: zmtp.Properties{zmtp.SocketType: "PULL"}})
		if err == nil {
			said := make([]byte, 2+len("patient"))
			_, err = io.ReadFull(c, said)
			heard = err == nil
			require.True(t, !heard || bytes.Equal(said, frame(0, []byte("patient"))), "%q", said)
		}
		c.Close()
	}
}
