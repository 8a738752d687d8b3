package msgcore_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
)

// tlsConfigs returns those of a server that was certified a moment ago, and of a
// client that knows it.
func tlsConfigs() (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	now := time.Now()
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"server.invalid"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	check(err)
	cert, err := x509.ParseCertificate(der)
	check(err)
	known := x509.NewCertPool()
	known.AddCert(cert)
	server = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return server, &tls.Config{RootCAs: known, ServerName: "server.invalid"}
}

// made is a listener that no transport has made.
func made(t testing.TB, network, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, addr)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// A listener of package net is an endpoint as any other, and the socket's from
// then on.
func TestBindListener(t *testing.T) {
	for _, c := range []struct{ network, addr, scheme string }{
		{"tcp", "127.0.0.1:0", "tcp"},
		{"unix", filepath.Join(shortDir(t), "s"), "ipc"},
	} {
		t.Run(c.network, func(t *testing.T) {
			l := made(t, c.network, c.addr)
			o, w := watched(msgcore.Options{})
			router, dealer := open(t, msgcore.Router, o), open(t, msgcore.Dealer, nil)
			bound, err := router.BindListener(l)
			require.NoError(t, err)
			require.Equal(t, c.scheme+"://"+l.Addr().String(), bound)
			require.Equal(t, bound, w.times(t, 1, msgcore.Listening).Endpoint)
			require.NoError(t, dealer.Connect(bound))
			exchange(t, router, dealer, "hello")
			info := w.times(t, 1, msgcore.HandshakeSucceeded).Peer
			require.Equal(t, bound, info.Endpoint)
			if c.network == "unix" && runtime.GOOS == "linux" {
				require.NotEqual(t, -1, info.Cred.UID)
			}
			require.NoError(t, router.Unbind(bound))
			_, err = l.Accept()
			require.ErrorIs(t, err, net.ErrClosed)
			exchange(t, router, dealer, "what was accepted stays")
		})
	}
}

// A connection of package net, too; when it has ended, the endpoint has.
func TestConnectConn(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			addr := "127.0.0.1:0"
			if network == "unix" {
				addr = filepath.Join(shortDir(t), "s")
			}
			l := made(t, network, addr)
			server := open(t, msgcore.Pull, nil)
			bound, err := server.BindListener(l)
			require.NoError(t, err)
			o, w := watched(msgcore.Options{})
			push := open(t, msgcore.Push, o)
			c, err := net.Dial(network, l.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			connected, err := push.ConnectConn(c)
			require.NoError(t, err)
			require.Equal(t, bound, connected)
			exchange(t, server, push, "hello")
			require.NoError(t, server.Close())
			require.Equal(t, connected, w.times(t, 1, msgcore.Closed).Endpoint)
			require.Empty(t, w.kindsOf(msgcore.ConnectRetried))
			require.Len(t, w.kindsOf(msgcore.Disconnected), 1)
			require.ErrorContains(t, push.Disconnect(connected), "not connected")
		})
	}
}

// Two ends of a pipe, which is no network at all, and Disconnect.
func TestConnectConnOfAPipe(t *testing.T) {
	near, far := net.Pipe()
	o, w := watched(msgcore.Options{})
	a, b := open(t, msgcore.Pair, o), open(t, msgcore.Pair, nil)
	at, err := a.ConnectConn(near)
	require.NoError(t, err)
	require.Equal(t, "pipe://pipe", at)
	_, err = b.ConnectConn(far)
	require.NoError(t, err)
	exchange(t, a, b, "hello")
	require.NoError(t, a.Disconnect(at))
	w.times(t, 1, msgcore.Disconnected)
	_, err = near.Write(nil)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

// TLS beneath every kind of socket that is read in a way of its own: with frames
// of all sizes, in lockstep, and as plain bytes.
func TestPassedTLS(t *testing.T) {
	server, client := tlsConfigs()
	for _, types := range [][2]msgcore.Type{{msgcore.Router, msgcore.Dealer}, {msgcore.Rep, msgcore.Req}, {msgcore.Pub, msgcore.Sub}} {
		t.Run(types[0].String(), func(t *testing.T) {
			bind, connect := open(t, types[0], nil), open(t, types[1], nil)
			wantAll(t, connect)
			l := made(t, "tcp", "127.0.0.1:0")
			_, err := bind.BindListener(tls.NewListener(l, server))
			require.NoError(t, err)
			c, err := tls.Dial("tcp", l.Addr().String(), client)
			require.NoError(t, err)
			_, err = connect.ConnectConn(c)
			require.NoError(t, err)
			for _, body := range [][]byte{nil, striped(1, 1), striped(300, 2), striped(100_000, 3)} {
				exchange(t, bind, connect, string(body))
			}
		})
	}
	t.Run("STREAM", func(t *testing.T) {
		stream := open(t, msgcore.Stream, nil)
		streams, err := stream.Listener()
		require.NoError(t, err)
		l := made(t, "tcp", "127.0.0.1:0")
		_, err = stream.BindListener(tls.NewListener(l, server))
		require.NoError(t, err)
		require.Equal(t, l.Addr().String(), streams.Addr().String())
		c, err := tls.Dial("tcp", l.Addr().String(), client)
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
		sent := striped(1<<20, 4)
		go func() {
			s, err := streams.Accept()
			if err == nil {
				_, err = io.Copy(s, s)
				err = errors.Join(err, s.Close())
			}
			if err != nil {
				t.Error(err)
			}
		}()
		go func() {
			_, err := c.Write(sent)
			if err = errors.Join(err, c.CloseWrite()); err != nil {
				t.Error(err)
			}
		}()
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, sent, got)
	})
}

// A scrambledConn has a descriptor, by which nothing of what it carries can be
// understood.
type scrambledConn struct{ *net.TCPConn }

func scramble(b []byte) {
	for i := range b {
		b[i] ^= 0x55
	}
}

func (c scrambledConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	scramble(b[:n])
	return n, err
}

func (c scrambledConn) Write(b []byte) (int, error) {
	mine := append([]byte(nil), b...)
	scramble(mine)
	return c.TCPConn.Write(mine)
}

type scrambledListener struct{ net.Listener }

func (l scrambledListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return scrambledConn{c.(*net.TCPConn)}, nil
}

// The methods of a connection count, whatever it embeds.
func TestPassedByItsMethods(t *testing.T) {
	l := made(t, "tcp", "127.0.0.1:0")
	rep, req := open(t, msgcore.Rep, nil), open(t, msgcore.Req, nil)
	_, err := rep.BindListener(scrambledListener{l})
	require.NoError(t, err)
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	_, err = req.ConnectConn(scrambledConn{c.(*net.TCPConn)})
	require.NoError(t, err)
	for range 3 {
		exchange(t, rep, req, "hello")
	}
}

// What Options.Credentials refuses is closed if a listener has accepted it, and
// left to its owner by ConnectConn.
func TestPassedCredentials(t *testing.T) {
	errNo := errors.New("not you")
	asked := make(chan transport.Cred, 10)
	no := &msgcore.Options{Transport: transport.Options{Credentials: func(c transport.Cred) error {
		asked <- c
		return errNo
	}}}
	l := made(t, "unix", filepath.Join(shortDir(t), "s"))
	router := open(t, msgcore.Router, no)
	_, err := router.BindListener(l)
	require.NoError(t, err)
	c, err := net.Dial("unix", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	<-asked
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, net.ErrClosed)
	require.Zero(t, router.Stats().Accepted)

	mine := made(t, "unix", filepath.Join(shortDir(t), "s"))
	c, err = net.Dial("unix", mine.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = open(t, msgcore.Dealer, no).ConnectConn(c)
	require.ErrorIs(t, err, errNo)
	requireOp(t, err, "connect", msgcore.Dealer)
	_, err = c.Write([]byte("still mine"))
	require.NoError(t, err)
	_, err = open(t, msgcore.Dealer, no).ConnectConn(struct{ net.Conn }{c})
	require.ErrorIs(t, err, errors.ErrUnsupported, "nobody knows who that is")
}

func TestPassedErrors(t *testing.T) {
	closed := msgcore.NewDealer(nil)
	require.NoError(t, closed.Close())
	l := made(t, "tcp", "127.0.0.1:0")
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	for _, try := range []struct {
		s   *msgcore.Socket
		why string
	}{
		{closed, net.ErrClosed.Error()},
		{open(t, msgcore.Dgram, nil), "goes over udp only, not over tcp"},
		{open(t, msgcore.Dealer, &msgcore.Options{MaxMessage: -1}), "MaxMessage"},
	} {
		_, err = try.s.BindListener(l)
		require.ErrorContains(t, err, try.why)
		_, err = try.s.ConnectConn(c)
		require.ErrorContains(t, err, try.why)
	}
	dealer := open(t, msgcore.Dealer, nil)
	_, err = dealer.BindListener(nil)
	requireOp(t, err, "bind", msgcore.Dealer)
	_, err = dealer.ConnectConn(nil)
	requireOp(t, err, "connect", msgcore.Dealer)
	_, err = c.Write([]byte("still mine"))
	require.NoError(t, err)
	_, err = l.Accept()
	require.NoError(t, err)
}
