package msgcore_test

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// How sockets part from connections that were made elsewhere.

// What is queued for a connection with TLS goes out while bytes still move, also if
// a write is under way when Close begins: one that a deadline has cut could not go
// on.
func TestPassedTLSLinger(t *testing.T) {
	const messages = 200
	server, client := tlsConfigs()
	l := made(t, "tcp", "127.0.0.1:0")
	pull := open(t, msgcore.Pull, &msgcore.Options{RecvHWM: 4})
	_, err := pull.BindListener(tls.NewListener(l, server))
	require.NoError(t, err)
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	require.NoError(t, err)
	push := open(t, msgcore.Push, &msgcore.Options{Linger: patience})
	_, err = push.ConnectConn(c)
	require.NoError(t, err)
	for range messages {
		require.NoError(t, push.Send(limited(t), make([]byte, 100_000)))
	}
	closed := make(chan error, 1)
	go func() { closed <- push.Close() }()
	for { // until Close has begun
		if _, err := push.TrySend(msgcore.Msg{Frames: [][]byte{[]byte("late")}}); errors.Is(err, net.ErrClosed) {
			break
		}
		runtime.Gosched()
	}
	got := 0
	for got < messages {
		m, err := pull.Recv(limited(t))
		require.NoError(t, err, "message %d", got)
		if len(m.Bytes()) > 10 {
			got++
		}
		m.Release()
	}
	require.NoError(t, <-closed)
}

// An untimed connection knows no deadline.
type untimed struct{ net.Conn }

func (untimed) SetDeadline(time.Time) error      { return nil }
func (untimed) SetWriteDeadline(time.Time) error { return nil }

// To end a connection with TLS is to write, which takes as long as the peer likes:
// no other call waits for it.
func TestPassedTLSThatDoesNotEnd(t *testing.T) {
	server, client := tlsConfigs()
	ro, w := watched(msgcore.Options{Router: msgcore.RouterOptions{Handover: true}})
	router := open(t, msgcore.Router, ro)
	join := func() net.Conn {
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() })
		there := tls.Client(far, client)
		n := w.count()
		shaken := make(chan error, 1)
		go func() {
			if err := there.Handshake(); err != nil {
				shaken <- err
				return
			}
			_, err := there.Write(after(greeted, zmtp.AppendCommand(nil, zmtp.CommandReady, zmtp.AppendProperties(nil, zmtp.Properties{
				zmtp.SocketType: "DEALER", zmtp.Identity: "same",
			}))))
			for b, got := make([]byte, 200), 0; err == nil && got < 64+10; {
				var n int
				n, err = there.Read(b)
				got += n
			}
			shaken <- err
		}()
		_, err := router.ConnectConn(tls.Server(untimed{near}, server))
		require.NoError(t, err)
		require.NoError(t, <-shaken)
		w.after(t, n, msgcore.HandshakeSucceeded)
		return far
	}
	first := join()
	join()
	told := make(chan msgcore.Stats, 1)
	go func() { told <- router.Stats() }()
	select {
	case s := <-told:
		require.EqualValues(t, 2, s.HandshakeSucceeded)
	case <-time.After(patience):
		require.Fail(t, "Stats waits for a peer that does not read")
	}
	first.Close()
}

// Connections that have ended leave nothing behind, and Disconnect means the one
// that is there.
func TestConnectConnOfManyThatEnd(t *testing.T) {
	o, w := watched(msgcore.Options{})
	s := open(t, msgcore.Pull, o)
	for i := range 20 {
		near, far := net.Pipe()
		far.Close()
		_, err := s.ConnectConn(near)
		require.NoError(t, err)
		w.times(t, i+1, msgcore.Closed)
	}
	near, far := net.Pipe()
	defer far.Close()
	require.NoError(t, far.SetReadDeadline(time.Now().Add(patience)))
	name, err := s.ConnectConn(near)
	require.NoError(t, err)
	require.NoError(t, s.Disconnect(name))
	require.ErrorContains(t, s.Disconnect(name), "not connected")
	for b := make([]byte, 100); err == nil; {
		_, err = far.Read(b)
	}
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "it is still open")
}

// Credentials may use the socket, and is asked for Unix sockets of every kind.
func TestPassedCredentialsAreAsked(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("credentials are known, and unixpacket is there, on Linux")
	}
	for _, network := range []string{"unix", "unixpacket"} {
		l := made(t, network, filepath.Join(shortDir(t), "s"))
		var s *msgcore.Socket
		o, w := watched(msgcore.Options{Transport: transport.Options{Credentials: func(transport.Cred) error {
			_ = s.Disconnect("tcp://127.0.0.1:1")
			return errors.New("nobody")
		}}})
		s = open(t, msgcore.Pull, o)
		c, err := net.Dial(network, l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		asked := make(chan error, 1)
		go func() {
			_, err := s.ConnectConn(c)
			asked <- err
		}()
		select {
		case err := <-asked:
			require.ErrorContains(t, err, "nobody")
		case <-time.After(patience):
			require.FailNow(t, "ConnectConn keeps Credentials from using the socket")
		}
		_, err = s.BindListener(l)
		require.NoError(t, err)
		require.ErrorContains(t, w.times(t, 1, msgcore.AcceptRefused).Err, "nobody")
		require.EqualValues(t, 1, s.Stats().AcceptRefused)
	}
}
