package msgcore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
)

// dialPlain connects to endpoint with no ZeroMQ at all.
func dialPlain(t testing.TB, endpoint string) net.Conn {
	t.Helper()
	scheme, addr, _ := strings.Cut(endpoint, "://")
	tr, ok := transport.Lookup(scheme)
	require.True(t, ok)
	c, err := tr.Dial(limited(t), addr, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

// recvEvent receives what tells of a connection that came or went.
func recvEvent(t testing.TB, s *msgcore.Socket, want msgcore.Notify) (id []byte) {
	t.Helper()
	m, err := s.Recv(limited(t))
	require.NoError(t, err)
	require.Equal(t, want, m.Event())
	require.Len(t, m.Frames, 2)
	require.Empty(t, m.Frames[1])
	return m.Frames[0]
}

// recvBytes receives n bytes of the connection id.
func recvBytes(t testing.TB, s *msgcore.Socket, id []byte, n int) []byte {
	t.Helper()
	var got []byte
	for len(got) < n {
		m, err := s.Recv(limited(t))
		require.NoError(t, err)
		require.Zero(t, m.Event())
		require.Len(t, m.Frames, 2)
		require.Equal(t, id, m.Frames[0])
		require.NotEmpty(t, m.Frames[1])
		got = append(got, m.Frames[1]...)
		m.Release()
	}
	require.Len(t, got, n)
	return got
}

func closeWrite(t testing.TB, c net.Conn) {
	t.Helper()
	require.NoError(t, c.(interface{ CloseWrite() error }).CloseWrite())
}

// TestStream is the life of a connection, between a STREAM that is bound and a
// program that knows only bytes.
func TestStream(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		ctx := limited(t)
		s := open(t, msgcore.Stream, nil)
		c := dialPlain(t, bindTo(t, s, endpoint))
		id := recvEvent(t, s, msgcore.NotifyConnect)
		require.Len(t, id, 5)
		require.Zero(t, id[0])

		_, err := c.Write([]byte("GET /\r\n"))
		require.NoError(t, err)
		require.Equal(t, "GET /\r\n", string(recvBytes(t, s, id, 7)))

		large := streamPool()[:1<<20]
		for _, b := range [][]byte{[]byte("x"), large, []byte("y"), large[:300]} {
			require.NoError(t, s.Send(ctx, id, b))
		}
		want := bytes.Join([][]byte{[]byte("x"), large, []byte("y"), large[:300]}, nil)
		got := make([]byte, len(want))
		_, err = io.ReadFull(c, got)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got))

		require.NoError(t, c.Close())
		require.Equal(t, id, recvEvent(t, s, msgcore.NotifyDisconnect))
		require.ErrorIs(t, s.Send(ctx, id, []byte("late")), msgcore.ErrUnroutable)
	})
}

// TestStreamBetween sends many messages of any size from one STREAM to another,
// both ways at once: the bytes are the same and in order, wherever the messages
// end.
func TestStreamBetween(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		ctx := limited(t)
		a, b := open(t, msgcore.Stream, nil), open(t, msgcore.Stream, nil)
		require.NoError(t, b.Connect(bindTo(t, a, endpoint)))
		all := streamPool()[:sized(1<<20, 2<<20)]
		done := make(chan error, 2)
		for i, s := range []*msgcore.Socket{a, b} {
			id := recvEvent(t, s, msgcore.NotifyConnect)
			go func() {
				r := rand.New(rand.NewPCG(1, uint64(i)))
				for rest := all; len(rest) > 0; {
					n := min(1+r.IntN(1<<r.IntN(16)), len(rest))
					if err := s.Send(ctx, id, rest[:n]); err != nil {
						done <- err
						return
					}
					rest = rest[n:]
				}
				done <- nil
			}()
			defer func(s *msgcore.Socket, id []byte) {
				require.True(t, bytes.Equal(all, recvBytes(t, s, id, len(all))))
			}(s, id)
		}
		require.NoError(t, errors.Join(<-done, <-done))
	})
}

// TestStreamCloses: an empty frame closes the connection behind all that was sent
// before, and nothing more comes from it, not even what had arrived.
func TestStreamCloses(t *testing.T) {
	for _, how := range []string{"send", "reply"} {
		t.Run(how, func(t *testing.T) {
			schemes(t, func(t *testing.T, endpoint string) {
				ctx := limited(t)
				s := open(t, msgcore.Stream, nil)
				endpoint = bindTo(t, s, endpoint)
				c := dialPlain(t, endpoint)
				hello, err := s.Recv(ctx)
				require.NoError(t, err)
				id := hello.Frames[0]
				send := func(b []byte) error {
					if how == "reply" {
						return hello.Reply(ctx, b)
					}
					return s.Send(ctx, id, b)
				}
				_, err = c.Write([]byte("ignored"))
				require.NoError(t, err)
				all := streamPool()
				require.NoError(t, send(all))
				require.NoError(t, send(nil))
				require.ErrorIs(t, send([]byte("late")), msgcore.ErrUnroutable)
				got, err := io.ReadAll(c)
				require.NoError(t, err)
				require.True(t, bytes.Equal(all, got))
				require.NoError(t, c.Close())

				// The next thing to be heard of is the next connection.
				dialPlain(t, endpoint)
				require.NotEqual(t, id, recvEvent(t, s, msgcore.NotifyConnect))
			})
		})
	}
}

// TestStreamCloseOfSilentPeer: a connection that is let go does not stay, though
// the other side neither reads nor closes.
func TestStreamCloseOfSilentPeer(t *testing.T) {
	o, w := watched(msgcore.Options{Linger: 10 * time.Millisecond})
	s := open(t, msgcore.Stream, o)
	c := dialPlain(t, bindTo(t, s, "tcp://127.0.0.1:*"))
	id := recvEvent(t, s, msgcore.NotifyConnect)
	for full := false; !full; { // until neither the kernel nor the queue takes any more
		var ok bool
		var err error
		ok, err = s.TrySend(msgcore.Msg{Frames: [][]byte{id, streamPool()}})
		require.NoError(t, err)
		full = !ok
	}
	require.NoError(t, s.Send(limited(t), id, nil))
	w.times(t, 1, msgcore.Disconnected)
	_, _ = io.Copy(io.Discard, c)
}

// TestStreamHalfClose: a peer that has ended its half still gets what was sent.
func TestStreamHalfClose(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		s := open(t, msgcore.Stream, nil)
		c := dialPlain(t, bindTo(t, s, endpoint))
		_, err := c.Write([]byte("request"))
		require.NoError(t, err)
		id := recvEvent(t, s, msgcore.NotifyConnect)
		recvBytes(t, s, id, 7)
		all := bytes.Repeat(streamPool(), 8) // over what kernels keep
		require.NoError(t, s.Send(limited(t), id, all))
		closeWrite(t, c)
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		require.True(t, bytes.Equal(all, got))
		require.Equal(t, id, recvEvent(t, s, msgcore.NotifyDisconnect))
	})
}

// TestStreamWaitsForOne: a connection that takes nothing more holds up who sends
// to it, and nobody else.
func TestStreamWaitsForOne(t *testing.T) {
	s := open(t, msgcore.Stream, &msgcore.Options{SendBytes: 1 << 20, Linger: msgcore.Discard})
	endpoint := bindTo(t, s, "tcp://127.0.0.1:*")
	dialPlain(t, endpoint)
	stalled := recvEvent(t, s, msgcore.NotifyConnect)
	for {
		ok, err := s.TrySend(msgcore.Msg{Frames: [][]byte{stalled, streamPool()[:64<<10]}})
		require.NoError(t, err)
		if !ok {
			break
		}
	}
	ctx, cancel := context.WithCancel(limited(t))
	waits := make(chan error, 1)
	go func() {
		var err error
		for err == nil { // the kernel may take some more
			err = s.Send(ctx, stalled, streamPool()[:64<<10])
		}
		waits <- err
	}()

	other := dialPlain(t, endpoint)
	id := recvEvent(t, s, msgcore.NotifyConnect)
	require.NoError(t, s.Send(limited(t), id, []byte("other")))
	got := make([]byte, 5)
	_, err := io.ReadFull(other, got)
	require.NoError(t, err)
	require.Equal(t, "other", string(got))
	cancel()
	require.ErrorIs(t, <-waits, context.Canceled)
}

// TestStreamReconnects: a connection that was dialed and lost is dialed again,
// and is another one then.
func TestStreamReconnects(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	s := open(t, msgcore.Stream, &msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond}})
	require.NoError(t, s.Connect("tcp://"+l.Addr().String()))
	seen := map[string]bool{}
	for range 3 {
		c, err := l.Accept()
		require.NoError(t, err)
		id := recvEvent(t, s, msgcore.NotifyConnect)
		require.False(t, seen[string(id)])
		seen[string(id)] = true
		require.NoError(t, c.Close())
		require.Equal(t, id, recvEvent(t, s, msgcore.NotifyDisconnect))
	}
}

// TestStreamQuiet: nothing but bytes is received, if so asked for.
func TestStreamQuiet(t *testing.T) {
	s := open(t, msgcore.Stream, &msgcore.Options{Stream: msgcore.StreamOptions{Quiet: true}, MaxMessage: 4})
	endpoint := bindTo(t, s, "tcp://127.0.0.1:*")
	for range 2 {
		c := dialPlain(t, endpoint)
		_, err := c.Write([]byte("12345678"))
		require.NoError(t, err)
		for got := 0; got < 8; {
			m, err := s.Recv(limited(t))
			require.NoError(t, err)
			require.LessOrEqual(t, len(m.Frames[1]), 4, "MaxMessage")
			got += len(m.Frames[1])
		}
		require.NoError(t, c.Close())
	}
}

// TestStreamRefuses: what cannot be meant is an error.
func TestStreamRefuses(t *testing.T) {
	ctx := limited(t)
	for _, o := range []msgcore.Options{
		{RoutingID: "x"},
		{Metadata: map[string]string{"X-A": "b"}},
		{Heartbeat: msgcore.Heartbeat{Interval: time.Second}},
		{Pub: msgcore.PubOptions{NoDrop: true}},
		{Router: msgcore.RouterOptions{Mandatory: true}},
	} {
		require.Error(t, o.Validate(msgcore.Stream), "%+v", o)
	}
	quiet := msgcore.Options{Stream: msgcore.StreamOptions{Quiet: true}}
	require.Error(t, quiet.Validate(msgcore.Router))
	raw := msgcore.Options{Router: msgcore.RouterOptions{Raw: true}, RoutingID: "x"}
	require.Error(t, raw.Validate(msgcore.Router))

	s := open(t, msgcore.Stream, nil)
	require.Error(t, s.Send(ctx, []byte("id")))
	require.Error(t, s.Send(ctx, []byte("id"), []byte("a"), []byte("b")))
	require.ErrorIs(t, s.Send(ctx, []byte("id"), []byte("a")), msgcore.ErrUnroutable)
	require.ErrorIs(t, s.Subscribe(""), errors.ErrUnsupported)
	_, err := s.Request(ctx, []byte("a"))
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.Equal(t, "STREAM", msgcore.Stream.String())
	require.False(t, msgcore.Stream.Peers(msgcore.Stream), "by ZMTP")
}

// TestRouterRaw: the older name of a STREAM.
func TestRouterRaw(t *testing.T) {
	ctx := limited(t)
	s := open(t, msgcore.Router, &msgcore.Options{Router: msgcore.RouterOptions{Raw: true}})
	c := dialPlain(t, bindTo(t, s, "tcp://127.0.0.1:*"))
	id := recvEvent(t, s, msgcore.NotifyConnect)
	require.NoError(t, s.Send(ctx, id, []byte("bytes")))
	require.NoError(t, s.Send(ctx, []byte("nobody"), []byte("bytes")))
	require.EqualValues(t, 1, s.Stats().DroppedUnroutable)
	require.NoError(t, s.Send(ctx, id, nil))
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, "bytes", string(got))
}

// TestStreamLibzmq: libzmq's STREAM and ours, either one bound.
func TestStreamLibzmq(t *testing.T) {
	p := startPython(t)
	for _, bound := range []string{"ours", "libzmq's"} {
		t.Run(bound+" is bound", func(t *testing.T) {
			ctx := limited(t)
			theirs := p.open(t, "STREAM", nil)
			ours := open(t, msgcore.Stream, nil)
			if bound == "ours" {
				theirs.do(t, "connect", bindTo(t, ours, "tcp://127.0.0.1:*"))
			} else {
				require.NoError(t, ours.Connect(theirs.bind(t, "tcp://127.0.0.1:*")))
			}
			id := recvEvent(t, ours, msgcore.NotifyConnect)
			hello := theirs.recv(t)
			require.Len(t, hello, 2)
			require.Empty(t, hello[1])

			require.NoError(t, ours.Send(ctx, id, []byte("to libzmq")))
			require.Equal(t, []string{hello[0], "to libzmq"}, theirs.recv(t))
			theirs.send(t, hello[0], "to us")
			require.Equal(t, "to us", string(recvBytes(t, ours, id, 5)))

			if bound == "ours" { // each closes once
				require.NoError(t, ours.Send(ctx, id, nil))
				require.Equal(t, []string{hello[0], ""}, theirs.recv(t))
			} else {
				theirs.send(t, hello[0], "")
				theirs.start(t, "recv") // libzmq closes within its application's calls
				require.Equal(t, id, recvEvent(t, ours, msgcore.NotifyDisconnect))
			}
		})
	}
}
