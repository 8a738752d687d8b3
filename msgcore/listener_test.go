package msgcore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/solomq/solomq/msgcore"
)

// listen returns a Listener of a STREAM that is bound to endpoint, and a function
// that connects to it.
func listen(t testing.TB, endpoint string, o *msgcore.Options) (l net.Listener, dial func() net.Conn) {
	t.Helper()
	if o == nil {
		o = &msgcore.Options{Linger: 50 * time.Millisecond}
	}
	s, d := open(t, msgcore.Stream, o), open(t, msgcore.Stream, o)
	l, err := s.Listener()
	require.NoError(t, err)
	bound := bindTo(t, s, endpoint)
	return l, func() net.Conn {
		c, err := d.Dial(limited(t), bound)
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		return c
	}
}

// connected returns both ends of a connection.
func connected(t testing.TB, endpoint string) (near, far net.Conn) {
	t.Helper()
	l, dial := listen(t, endpoint, nil)
	near = dial()
	far, err := l.Accept()
	require.NoError(t, err)
	for _, c := range []net.Conn{near, far} {
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	}
	return near, far
}

// TestStreamConns runs the suite by which Go's own net.Conns are judged.
func TestStreamConns(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
			s := msgcore.NewStream(&msgcore.Options{Linger: 50 * time.Millisecond})
			stop = func() { s.Close() }
			l, err := s.Listener()
			if err != nil {
				return nil, nil, stop, err
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			bound, err := s.Bind(ctx, unusedFor(t, endpoint))
			if err != nil {
				return nil, nil, stop, err
			}
			if c1, err = s.Dial(ctx, bound); err == nil {
				c2, err = l.Accept()
			}
			return c1, c2, stop, err
		})
	})
}

// unusedFor lets each connection of a suite have an endpoint of its own.
func unusedFor(t testing.TB, endpoint string) string {
	scheme, _, _ := bytes.Cut([]byte(endpoint), []byte("://"))
	if string(scheme) == "tcp" {
		return "tcp://127.0.0.1:*"
	}
	return string(scheme) + "://*"
}

// TestListenerHTTP serves HTTP over a STREAM, by Go's own server and client.
func TestListenerHTTP(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		l, dial := listen(t, endpoint, nil)
		body := streamPool()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got, err := io.ReadAll(r.Body)
			if err != nil || !bytes.Equal(got, body) {
				http.Error(w, "not what was sent", http.StatusBadRequest)
				return
			}
			w.Write(got)
		})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()
		client := &http.Client{Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return dial(), nil },
		}}
		for range 3 {
			resp, err := client.Post("http://stream/", "", bytes.NewReader(body))
			require.NoError(t, err)
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http.StatusOK, resp.StatusCode)
			require.True(t, bytes.Equal(body, got))
		}
		client.CloseIdleConnections()
		require.NoError(t, srv.Shutdown(limited(t)))
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
}

// TestStreamConnHalfClose: each direction ends by itself.
func TestStreamConnHalfClose(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		near, far := connected(t, endpoint)
		for _, c := range []net.Conn{near, far} {
			_, err := c.Write([]byte("last words"))
			require.NoError(t, err)
		}
		closeWrite(t, near)
		_, err := near.Write([]byte("x"))
		require.ErrorIs(t, err, io.ErrClosedPipe)
		got, err := io.ReadAll(far)
		require.NoError(t, err)
		require.Equal(t, "last words", string(got))

		large := bytes.Repeat(streamPool(), 4)
		written := make(chan error, 1)
		go func() {
			_, err := far.Write(large)
			written <- errors.Join(err, far.Close())
		}()
		got, err = io.ReadAll(near)
		require.NoError(t, err)
		require.NoError(t, <-written)
		require.True(t, bytes.Equal(append([]byte("last words"), large...), got))
	})
}

// TestStreamConnCloseFlushes: what was written before Close arrives, also where
// the other side has written what nobody reads.
func TestStreamConnCloseFlushes(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		l, dial := listen(t, endpoint, nil)
		for range sized(20, 200) {
			near := dial()
			far, err := l.Accept()
			require.NoError(t, err)
			require.NoError(t, far.SetDeadline(time.Now().Add(patience)))
			_, err = far.Write([]byte("unread"))
			require.NoError(t, err)
			all := streamPool()[:100<<10]
			_, err = near.Write(all)
			require.NoError(t, err)
			require.NoError(t, near.Close())
			require.ErrorIs(t, near.Close(), net.ErrClosed)
			got, err := io.ReadAll(far)
			require.NoError(t, err)
			require.True(t, bytes.Equal(all, got))
			require.NoError(t, far.Close())
		}
	})
}

// TestStreamConnBounds: a connection that nobody reads keeps little.
func TestStreamConnBounds(t *testing.T) {
	near, _ := connected(t, "inproc://*")
	all := 0
	for n := 1; n > 0 || all < 256<<10; all += n {
		require.NoError(t, near.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
		var err error
		n, err = near.Write(streamPool())
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	}
	require.Less(t, all, 2<<20)
}

// TestListenerCloses: Accept ends, connections that were accepted go on, and those
// that were not are closed.
func TestListenerCloses(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		l, dial := listen(t, endpoint, nil)
		near := dial()
		far, err := l.Accept()
		require.NoError(t, err)
		require.NotEmpty(t, l.Addr().Network())
		left := dial()
		accept := make(chan error, 1)
		require.NoError(t, l.Close())
		go func() {
			_, err := l.Accept()
			accept <- err
		}()
		require.ErrorIs(t, <-accept, net.ErrClosed)
		require.ErrorIs(t, l.Close(), net.ErrClosed)
		require.NoError(t, left.SetDeadline(time.Now().Add(patience)))
		_, err = left.Read(make([]byte, 1))
		require.Error(t, err) // an end or, if the kernel had not handed it out, a reset
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)

		_, err = near.Write([]byte("on"))
		require.NoError(t, err)
		got := make([]byte, 2)
		_, err = io.ReadFull(far, got)
		require.NoError(t, err)
		require.Equal(t, "on", string(got))
	})
}

// TestListenerSocketCloses: closing the socket ends everything, within its Linger.
func TestListenerSocketCloses(t *testing.T) {
	s := msgcore.NewStream(nil)
	l, err := s.Listener()
	require.NoError(t, err)
	_, err = s.Listener()
	require.ErrorIs(t, err, msgcore.ErrState)
	bound := bindTo(t, s, "tcp://127.0.0.1:*")
	c := dialPlain(t, bound)
	far, err := l.Accept()
	require.NoError(t, err)
	_, err = far.Write([]byte("bye"))
	require.NoError(t, err)
	read := make(chan error, 1)
	go func() {
		_, err := far.Read(make([]byte, 1))
		read <- err
	}()
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, "bye", string(got))
	require.NoError(t, c.Close())
	require.NoError(t, <-closed)
	require.Error(t, <-read)
	_, err = far.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = s.Dial(limited(t), bound)
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = s.Listener()
	require.ErrorIs(t, err, net.ErrClosed)
}

// TestStreamDialErrors: a dial that fails says why.
func TestStreamDialErrors(t *testing.T) {
	s := open(t, msgcore.Stream, nil)
	for _, endpoint := range []string{"nonsense", "none://x", unused(t, "tcp")} {
		_, err := s.Dial(limited(t), endpoint)
		requireOp(t, err, "dial", msgcore.Stream)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Dial(ctx, "inproc://nobody")
	require.ErrorIs(t, err, context.Canceled)
	dealer := open(t, msgcore.Dealer, nil)
	_, err = dealer.Dial(limited(t), "tcp://127.0.0.1:1")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = dealer.Listener()
	require.ErrorIs(t, err, errors.ErrUnsupported)
}
