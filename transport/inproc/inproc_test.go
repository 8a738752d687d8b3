package inproc_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/inproc"
)

// inSpace returns options with a name space of their own.
func inSpace() *transport.Options { return &transport.Options{Space: new(transport.Space)} }

// Whoever dials first waits, and only for as long as its context lives; nothing
// remembers it then.
func TestDialBeforeListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := inSpace()
		var tr inproc.Transport
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var dials sync.WaitGroup
		for range 5 {
			dials.Go(func() {
				c, err := tr.Dial(ctx, "later", opts)
				if err != nil {
					t.Errorf("Dial: %v", err)
					return
				}
				_, _ = io.WriteString(c, "hi")
				c.Close()
			})
		}
		start := time.Now()
		short, cancelShort := context.WithTimeout(t.Context(), time.Minute)
		defer cancelShort()
		_, err := tr.Dial(short, "later", opts)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "inproc: dial later")
		require.Equal(t, time.Minute, time.Since(start))
		_, err = tr.Dial(short, "never", opts)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, tr.Meet(short, "never", opts, nil), context.DeadlineExceeded)
		_, wanted := inproc.Names(opts.Space)
		require.Equal(t, 1, wanted, "only \"later\" is waited for")

		synctest.Wait()
		l, err := tr.Listen(t.Context(), "later", opts)
		require.NoError(t, err)
		for range 5 {
			c, err := l.Accept()
			require.NoError(t, err)
			got, err := io.ReadAll(c)
			require.NoError(t, err)
			require.Equal(t, "hi", string(got))
			c.Close()
		}
		dials.Wait()
		require.NoError(t, l.Close())
		bound, wanted := inproc.Names(opts.Space)
		require.Zero(t, bound)
		require.Zero(t, wanted)
		require.Equal(t, start.Add(time.Minute), time.Now(), "nothing waited but the short context")
	})
}

// A Meet that waited is met by the first to announce, and one after withdraw waits
// for the next.
func TestMeetWaitsForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := inSpace()
		var tr inproc.Transport
		var got []string
		announce := func(who string) func() {
			bound, withdraw, err := tr.Announce("x", opts, func(offer any) error {
				got = append(got, who+" "+offer.(string))
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, "x", bound)
			return withdraw
		}
		meet := func(offer string) <-chan error {
			done := make(chan error, 1)
			go func() { done <- tr.Meet(t.Context(), "x", opts, offer) }()
			synctest.Wait()
			return done
		}
		one := meet("one")
		withdraw := announce("first")
		require.NoError(t, <-one)
		require.NoError(t, <-meet("two"))
		withdraw()
		three := meet("three")
		require.Empty(t, three)
		withdraw2 := announce("second")
		require.NoError(t, <-three)
		withdraw()
		require.NoError(t, <-meet("four"))
		withdraw2()
		withdraw2()
		require.Equal(t, []string{"first one", "first two", "second three", "second four"}, got)
	})
}

// accept may withdraw, as one that wants a single peer does.
func TestWithdrawInAccept(t *testing.T) {
	opts := inSpace()
	var tr inproc.Transport
	var withdraw func()
	_, withdraw, err := tr.Announce("once", opts, func(any) error {
		withdraw()
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, tr.Meet(t.Context(), "once", opts, nil))
	bound, _ := inproc.Names(opts.Space)
	require.Zero(t, bound)
}

func TestSpaces(t *testing.T) {
	var tr inproc.Transport
	one, two := inSpace(), inSpace()
	for _, opts := range []*transport.Options{one, two, nil} {
		l, err := tr.Listen(t.Context(), "name", opts)
		require.NoError(t, err)
		defer l.Close()
		_, err = tr.Listen(t.Context(), "name", opts)
		require.ErrorIs(t, err, inproc.ErrInUse)
		require.ErrorContains(t, err, "inproc: listen name")
		_, _, err = tr.Announce("name", opts, func(any) error { return nil })
		require.ErrorIs(t, err, inproc.ErrInUse)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := tr.Dial(ctx, "other", one)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A wildcard never takes a name that somebody has chosen.
func TestWildcard(t *testing.T) {
	opts := inSpace()
	var tr inproc.Transport
	l, err := tr.Listen(t.Context(), "*1", opts)
	require.NoError(t, err)
	defer l.Close()
	fresh, err := tr.Listen(t.Context(), "*", opts)
	require.NoError(t, err)
	defer fresh.Close()
	bound, withdraw, err := tr.Announce("*", opts, func(any) error { return nil })
	require.NoError(t, err)
	defer withdraw()
	require.NotEqual(t, "*1", fresh.Addr().String())
	require.NotEqual(t, "*1", bound)
	require.NotEqual(t, fresh.Addr().String(), bound)
	require.NoError(t, tr.Meet(t.Context(), bound, opts, nil))
	_, err = tr.Dial(t.Context(), "*", opts)
	require.ErrorContains(t, err, "wildcard")
}

// What was dialed but not accepted ends with the listener.
func TestCloseEndsTheQueue(t *testing.T) {
	opts := inSpace()
	var tr inproc.Transport
	l, err := tr.Listen(t.Context(), "q", opts)
	require.NoError(t, err)
	c, err := tr.Dial(t.Context(), "q", opts)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, l.Close())
	_, err = c.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
	_, err = c.Write([]byte("x"))
	require.Error(t, err)
	require.ErrorIs(t, l.Close(), net.ErrClosed)
}
