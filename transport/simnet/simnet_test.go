package simnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/simnet"
)

// A world is two hosts, where one listens.
type world struct {
	network        *simnet.Network
	client, server *simnet.Host
	link           *simnet.Link
	listener       net.Listener
}

// inBubble runs test under testing/synctest.
func inBubble(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New()
		w := &world{network: n, client: n.Host("client"), server: n.Host("server")}
		w.link = w.client.Link(w.server)
		w.listener = listen(t, w.server, "*:5555")
		test(t, w)
	})
}

func on(t testing.TB, h *simnet.Host) transport.Transport {
	t.Helper()
	tr, ok := h.Lookup("tcp")
	require.True(t, ok)
	return tr
}

func listen(t testing.TB, h *simnet.Host, addr string) net.Listener {
	t.Helper()
	l, err := on(t, h).Listen(t.Context(), addr, nil)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// pair connects the client to the server.
func (w *world) pair(t testing.TB) (near, far net.Conn) {
	t.Helper()
	near, err := on(t, w.client).Dial(t.Context(), "server:5555", nil)
	require.NoError(t, err)
	far, err = w.listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		near.Close()
		far.Close()
	})
	return near, far
}

func write(t testing.TB, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
}

func read(t testing.TB, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	_, err := io.ReadFull(c, b)
	require.NoError(t, err)
	require.Equal(t, want, string(b))
}

// takes checks how much of the bubble's time f takes.
func takes(t testing.TB, want time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	f()
	require.Equal(t, want, time.Since(began))
}

// readWithin reads a byte, which may take no longer than d.
func readWithin(t testing.TB, c net.Conn, d time.Duration) error {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(d)))
	_, err := c.Read(make([]byte, 1))
	require.NoError(t, c.SetReadDeadline(time.Time{}))
	return err
}

func TestDelay(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.link.SetDelay(100 * time.Millisecond)
		var near, far net.Conn
		takes(t, 200*time.Millisecond, func() { near, far = w.pair(t) })
		takes(t, 0, func() { write(t, near, "one") })
		time.Sleep(40 * time.Millisecond)
		write(t, near, "two")
		takes(t, 60*time.Millisecond, func() { read(t, far, "one") })
		takes(t, 40*time.Millisecond, func() { read(t, far, "two") })

		write(t, near, "slow")
		w.link.SetDelay(0) // what is sent later does not overtake
		write(t, near, "fast")
		takes(t, 100*time.Millisecond, func() { read(t, far, "slowfast") })
	})
}

func TestBandwidth(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		c, d := w.pair(t)
		w.link.SetBandwidth(1 << 20)
		w.link.SetBuffer(256 << 10)
		go func() { _, _ = a.Write(make([]byte, 512<<10)) }()
		go func() { _, _ = c.Write(make([]byte, 512<<10)) }()
		done := make(chan error, 2)
		began := time.Now()
		for _, r := range []net.Conn{b, d} { // which share the line
			go func() {
				_, err := io.ReadFull(r, make([]byte, 512<<10))
				done <- err
			}()
		}
		require.NoError(t, <-done)
		require.NoError(t, <-done)
		require.InDelta(t, time.Second, time.Since(began), float64(time.Millisecond))
	})
}

func TestBufferBoundsWrites(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		near, far := w.pair(t)
		w.link.SetBuffer(10)
		require.NoError(t, near.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := near.Write(make([]byte, 15))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 10, n)
		_, err = io.ReadFull(far, make([]byte, 10))
		require.NoError(t, err)
	})
}

func TestCut(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.link.SetDelay(10 * time.Millisecond)
		near, far := w.pair(t)
		write(t, near, "a")
		time.Sleep(20 * time.Millisecond)
		write(t, near, "b")
		time.Sleep(5 * time.Millisecond)
		w.link.Cut()
		read(t, far, "a") // it was there
		require.ErrorIs(t, readWithin(t, far, time.Hour), os.ErrDeadlineExceeded)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := on(t, w.client).Dial(ctx, "server:5555", nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		write(t, near, "c")
		go func() {
			time.Sleep(time.Second)
			w.link.Mend()
		}()
		takes(t, time.Second, func() { read(t, far, "bc") })
		write(t, far, "d")
		read(t, near, "d")
	})
}

func TestCutOneWay(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		near, far := w.pair(t)
		w.link.CutFrom(w.client)
		write(t, near, "lost")
		write(t, far, "heard")
		read(t, near, "heard")
		require.ErrorIs(t, readWithin(t, far, time.Hour), os.ErrDeadlineExceeded)
		w.link.Mend()
		read(t, far, "lost")
	})
}

func TestDialWaitsForMend(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.link.Cut()
		time.AfterFunc(time.Minute, w.link.Mend)
		takes(t, time.Minute, func() { w.pair(t) })
	})
}

func TestReset(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		near, far := w.pair(t)
		w.pair(t)
		require.Equal(t, 2, w.link.Conns())
		write(t, near, "lost")
		require.Equal(t, 2, w.link.Reset())
		require.Zero(t, w.link.Conns())
		for _, c := range []net.Conn{near, far} {
			_, err := c.Read(make([]byte, 1))
			require.ErrorIs(t, err, simnet.ErrReset)
			_, err = c.Write([]byte("x"))
			require.ErrorIs(t, err, simnet.ErrReset)
		}
	})
}

func TestResetWakes(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		near, far := w.pair(t)
		w.link.SetBuffer(1)
		done := make(chan error, 2)
		go func() {
			_, err := near.Read(make([]byte, 1))
			done <- err
		}()
		go func() {
			_, err := far.Write([]byte("12"))
			done <- err
		}()
		synctest.Wait()
		w.link.Reset()
		for range 2 {
			if err := <-done; err != nil { // the read may have been in time
				require.ErrorIs(t, err, simnet.ErrReset)
			}
		}
	})
}

func TestEndLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.link.SetDelay(time.Second)
		near, far := w.pair(t)
		write(t, near, "there")
		write(t, far, "back")
		w.link.Cut()
		require.Equal(t, 1, w.link.End())
		require.Zero(t, w.link.End())
		_, err := near.Write([]byte("more"))
		require.ErrorIs(t, err, simnet.ErrPipe)
		require.ErrorIs(t, readWithin(t, far, time.Hour), os.ErrDeadlineExceeded)
		w.link.Mend()
		read(t, far, "there")
		read(t, near, "back")
		for _, c := range []net.Conn{near, far} {
			_, err := c.Read(make([]byte, 1))
			require.Equal(t, io.EOF, err)
		}
	})
}

// News of a Close takes as long as bytes do.
func TestCloseIsHeardLater(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.link.SetDelay(time.Second)
		near, far := w.pair(t)
		require.NoError(t, far.Close())
		write(t, near, "nobody knows yet")
		takes(t, time.Second, func() {
			_, err := near.Read(make([]byte, 1))
			require.Equal(t, io.EOF, err)
		})
		_, err := near.Write([]byte("x"))
		require.ErrorIs(t, err, simnet.ErrPipe)
		require.Zero(t, w.link.Conns())
	})
}

// Who comes first is a matter of delays.
func TestDialsAreReordered(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		want := []string{"c", "a", "b"}
		var dials sync.WaitGroup
		defer dials.Wait()
		for _, name := range []string{"a", "b", "c"} {
			h := w.network.Host(name)
			for i, n := range want {
				if n == name {
					h.Link(w.server).SetDelay(time.Duration(i) * time.Millisecond)
				}
			}
			dials.Go(func() {
				c, err := on(t, h).Dial(context.Background(), "server:5555", nil)
				if err == nil {
					c.Close()
				}
			})
		}
		for _, name := range want {
			c, err := w.listener.Accept()
			require.NoError(t, err)
			host, _, err := net.SplitHostPort(c.RemoteAddr().String())
			require.NoError(t, err)
			require.Equal(t, name, host)
			c.Close()
		}
	})
}

func TestPartition(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		third := w.network.Host("third")
		reaches := func(from *simnet.Host) bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			c, err := on(t, from).Dial(ctx, "server:5555", nil)
			if errors.Is(err, context.DeadlineExceeded) {
				return false
			}
			require.NoError(t, err)
			c.Close()
			return true
		}
		w.network.Partition(w.server, third)
		require.True(t, reaches(w.server))
		require.True(t, reaches(third))
		require.False(t, reaches(w.client))
		w.network.Heal()
		require.True(t, reaches(w.client))
	})
}

func TestAddresses(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		require.Equal(t, "server:5555", w.listener.Addr().String())
		tr := on(t, w.client)
		for addr, want := range map[string]string{
			"nowhere:1":     "no such host",
			"server:http":   "not a number",
			"server:*":      "wildcard",
			"server":        "missing port",
			"127.0.0.1:555": simnet.ErrRefused.Error(),
		} {
			_, err := tr.Dial(t.Context(), addr, nil)
			require.ErrorContains(t, err, want, addr)
		}
		_, err := tr.Listen(t.Context(), "server:7", nil)
		require.ErrorContains(t, err, `this is host "client"`)
		_, err = simnet.Transport{}.Dial(t.Context(), "a:1", nil)
		require.ErrorContains(t, err, "without a host")
		_, ok := w.client.Lookup("udp")
		require.False(t, ok)

		// The path of an ipc endpoint is the host's own.
		ipc := func(h *simnet.Host) transport.Transport {
			tr, ok := h.Lookup("ipc")
			require.True(t, ok)
			return tr
		}
		l, err := ipc(w.server).Listen(t.Context(), "/run/x", nil)
		require.NoError(t, err)
		defer l.Close()
		require.Equal(t, "/run/x", l.Addr().String())
		_, err = ipc(w.client).Dial(t.Context(), "/run/x", nil)
		require.ErrorIs(t, err, simnet.ErrRefused)
		c, err := ipc(w.server).Dial(t.Context(), "/run/x", nil)
		require.NoError(t, err)
		c.Close()
	})
}
