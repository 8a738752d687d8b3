package inproc_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/inproc"
)

// pair returns the two ends of a connection.
func pair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	opts := inSpace()
	l, err := inproc.Transport{}.Listen(t.Context(), "*", opts)
	require.NoError(t, err)
	defer l.Close()
	a, err = inproc.Transport{}.Dial(t.Context(), l.Addr().String(), opts)
	require.NoError(t, err)
	b, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	require.Equal(t, "inproc", a.RemoteAddr().Network())
	require.Equal(t, l.Addr(), b.LocalAddr())
	return a, b
}

// Deadlines pass exactly when they should, and not at all once they are moved or
// the connection is closed.
func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		p := make([]byte, 1)
		start := time.Now()
		require.NoError(t, a.SetReadDeadline(start.Add(time.Hour)))
		_, err := a.Read(p)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Hour, time.Since(start))

		// Moved while Read waits.
		require.NoError(t, a.SetReadDeadline(time.Now().Add(time.Minute)))
		time.AfterFunc(time.Second, func() {
			_ = a.SetReadDeadline(time.Now().Add(time.Hour))
		})
		start = time.Now()
		_, err = a.Read(p)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Hour+time.Second, time.Since(start))

		// Taken away: what comes later is read.
		require.NoError(t, a.SetReadDeadline(time.Now().Add(time.Minute)))
		require.NoError(t, a.SetReadDeadline(time.Time{}))
		time.AfterFunc(time.Hour, func() {
			_, _ = b.Write([]byte("x"))
		})
		_, err = a.Read(p)
		require.NoError(t, err)

		require.NoError(t, a.SetDeadline(time.Now().Add(time.Hour)))
		require.NoError(t, a.Close())
		require.ErrorIs(t, a.SetDeadline(time.Now()), net.ErrClosed)
	})
}

// A writer waits for room of 64 KiB, no more.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		_, err := a.Write(make([]byte, 64<<10))
		require.NoError(t, err)
		require.NoError(t, a.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := a.Write([]byte("abc"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Zero(t, n)
		_, err = io.ReadFull(b, make([]byte, 2))
		require.NoError(t, err)
		n, err = a.Write([]byte("abc"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "the deadline has passed for later writes, too")
		require.Zero(t, n)
		require.NoError(t, a.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err = a.Write([]byte("abc"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 2, n)
	})
}

// Writes from several goroutines do not mix.
func TestConcurrentWrites(t *testing.T) {
	const writers, size = 8, 100_000
	a, b := pair(t)
	var writing sync.WaitGroup
	for i := range writers {
		writing.Go(func() {
			if _, err := a.Write(bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				t.Errorf("Write: %v", err)
			}
		})
	}
	seen := map[byte]bool{}
	p := make([]byte, size)
	for range writers {
		_, err := io.ReadFull(b, p)
		require.NoError(t, err)
		require.Equal(t, bytes.Repeat(p[:1], size), p)
		seen[p[0]] = true
	}
	writing.Wait()
	require.Len(t, seen, writers)
}

// Each of several readers is woken.
func TestConcurrentReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		got := make(chan byte, 4)
		for range cap(got) {
			go func() {
				p := make([]byte, 1)
				_, _ = b.Read(p)
				got <- p[0]
			}()
		}
		synctest.Wait()
		_, err := a.Write([]byte("abcd"))
		require.NoError(t, err)
		seen := map[byte]bool{}
		for range cap(got) {
			seen[<-got] = true
		}
		require.Len(t, seen, 4)
	})
}

func TestCloseWrite(t *testing.T) {
	a, b := pair(t)
	_, err := a.Write([]byte("question"))
	require.NoError(t, err)
	require.NoError(t, a.(interface{ CloseWrite() error }).CloseWrite())
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	require.Equal(t, "question", string(got))
	_, err = a.Write([]byte("more"))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = b.Write([]byte("answer"))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	got, err = io.ReadAll(a)
	require.NoError(t, err)
	require.Equal(t, "answer", string(got))
}
