package unique_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func TestForwardAfterClose(t *testing.T) {
	opts := uniquetest.Options(t)
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	second, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	waiting := make(chan error, 1)
	go func() {
		_, err := first.Forward(within(t), &unique.Invocation{})
		waiting <- err
	}()
	require.NoError(t, first.Close())
	require.NoError(t, first.Close())
	require.ErrorIs(t, <-waiting, unique.ErrClosedHere)
	_, err = first.Forward(within(t), &unique.Invocation{})
	require.ErrorIs(t, err, unique.ErrClosedHere)
	require.ErrorIs(t, first.Serve(within(t), func(context.Context, *unique.Invocation) int { return 0 }), unique.ErrClosedHere)
	require.ErrorIs(t, second.Serve(within(t), func(context.Context, *unique.Invocation) int { return 0 }), errors.ErrUnsupported)
	require.NoError(t, second.Close())
	_, err = second.Forward(within(t), &unique.Invocation{})
	require.ErrorIs(t, err, unique.ErrClosedHere)
}

// A secondary whose primary has left goes on to the next one, by itself.
func TestForwardFindsTheNextPrimary(t *testing.T) {
	opts := uniquetest.Options(t)
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	second := secondary(t, opts)
	require.NoError(t, first.Close())

	short := *opts
	short.Timeouts.Hello = 50 * time.Millisecond
	lost, err := unique.Lookup(within(t), testID, &short)
	require.ErrorIs(t, err, unique.ErrNoPrimary)
	require.Nil(t, lost)

	h := func(context.Context, *unique.Invocation) int { return 3 }
	primary(t, opts, h)
	code, err := second.Forward(within(t), &unique.Invocation{})
	require.NoError(t, err)
	require.Equal(t, 3, code)
}

func TestForwardWithoutPrimary(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.Timeouts.Hello = time.Second / 2
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	second := secondary(t, opts)
	require.NoError(t, first.Close())
	_, err = second.Forward(within(t), &unique.Invocation{})
	require.ErrorIs(t, err, unique.ErrNoPrimary)
}

func TestLookup(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.Version = "1.5"
	_, err := unique.Lookup(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrNoPrimary)
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	h, err := unique.Lookup(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), h.PID)
	require.Equal(t, os.Getuid(), h.UID)
	require.Equal(t, "1.5", h.Version)
	require.Equal(t, unique.Booting, h.State)
	require.WithinDuration(t, time.Now(), h.Started, patience)
	require.Equal(t, first.Holder().Endpoint, h.Endpoint)
	require.NoError(t, first.Close())
	_, err = unique.Lookup(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrNoPrimary)
}

func TestLongID(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.Dir = filepath.Join(opts.Dir, strings.Repeat("a", 150), strings.Repeat("b", 150))
	require.NoError(t, os.MkdirAll(filepath.Dir(opts.Dir), 0o700))
	id := strings.Repeat("\x01 é/", 1024)
	h := func(_ context.Context, inv *unique.Invocation) int { return len(inv.Args) }
	for _, want := range []unique.Role{unique.Primary, unique.Secondary} {
		r := uniquetest.Launch(t, opts, id, h, "x")
		require.NoError(t, r.Err)
		require.Equal(t, want, r.Role)
		require.Equal(t, 2, r.Code)
	}
}

func TestInvalidOptions(t *testing.T) {
	for _, o := range []*unique.Options{
		{MaxRunning: -1},
		{MaxQueued: -1},
		{MaxRequest: -1},
		{MaxRequest: 1 << 40},
		{Version: strings.Repeat("x", 256)},
		{Timeouts: unique.Timeouts{Go: -1}},
		{Env: []string{"A=B"}},
		{Env: []string{"A*B"}},
		{Env: []string{""}},
	} {
		_, err := unique.Acquire(within(t), testID, o)
		require.ErrorContains(t, err, "unique: Options.")
		_, err = unique.Lookup(within(t), testID, o)
		require.ErrorContains(t, err, "unique: Options.")
	}
	require.NoError(t, (*unique.Options)(nil).Validate())
	require.NoError(t, (&unique.Options{Env: []string{"*", "LC_*", "A"}}).Validate())
}

func TestRefusesOtherUsers(t *testing.T) {
	require.NoError(t, unique.SameUser(credOf(os.Geteuid())))
	require.NoError(t, unique.SameUser(credOf(-1)))
	err := unique.SameUser(credOf(os.Geteuid() + 1))
	require.ErrorIs(t, err, unique.ErrOtherUser)
}

// Those who only look disturb nobody who stands for election.
func TestLookupStorm(t *testing.T) {
	rounds := 100
	if full() {
		rounds = 2000
	}
	opts := uniquetest.Options(t)
	ctx, cancel := context.WithCancel(within(t))
	var lookers sync.WaitGroup
	for range 4 {
		lookers.Go(func() {
			for ctx.Err() == nil {
				_, err := unique.Lookup(ctx, testID, opts)
				if err != nil && !errors.Is(err, unique.ErrNoPrimary) && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range rounds {
		app, err := unique.Acquire(context.Background(), testID, opts)
		require.NoError(t, err)
		require.Equal(t, unique.Primary, app.Role())
		require.NoError(t, app.Close())
	}
	cancel()
	lookers.Wait()
}

// A primary that waits for what still runs is alive: others hear that it is
// leaving, and follow it once it has left.
func TestAcquireWhileLeaving(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.Timeouts.Offer = time.Second / 2
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	running, release := make(chan struct{}), make(chan struct{})
	served := make(chan error, 1)
	go func() {
		served <- first.Serve(context.Background(), func(context.Context, *unique.Invocation) int {
			close(running)
			<-release
			return 8
		})
	}()
	late := secondary(t, opts)
	code := make(chan int, 1)
	go func() {
		c, err := first.Forward(within(t), &unique.Invocation{})
		if err != nil {
			t.Error(err)
		}
		code <- c
	}()
	<-running
	closed := make(chan error, 1)
	go func() { closed <- first.Close() }()
	require.Eventually(t, func() bool {
		h, err := unique.Lookup(within(t), testID, opts)
		return err == nil && h.State == unique.Leaving
	}, patience, time.Millisecond)

	var leaving *unique.LeavingError
	_, err = unique.Acquire(within(t), testID, opts)
	require.ErrorAs(t, err, &leaving)
	require.Equal(t, first.Holder().PID, leaving.Holder.PID)
	_, err = late.Forward(within(t), &unique.Invocation{})
	require.ErrorIs(t, err, unique.ErrLeaving)

	opts.Timeouts.Offer = patience
	next := make(chan *unique.Instance, 1)
	go func() {
		app, err := unique.Acquire(within(t), testID, opts)
		if err != nil {
			t.Error(err)
		}
		next <- app
	}()
	close(release)
	require.NoError(t, <-closed)
	require.NoError(t, <-served)
	require.Equal(t, 8, <-code)
	app := <-next
	require.Equal(t, unique.Primary, app.Role())
	require.NoError(t, app.Close())
}

func TestServeTwice(t *testing.T) {
	opts := uniquetest.Options(t)
	app := primary(t, opts, func(context.Context, *unique.Invocation) int { return 0 })
	_, err := app.Forward(within(t), &unique.Invocation{}) // Serve has begun
	require.NoError(t, err)
	require.ErrorContains(t, app.Serve(within(t), func(context.Context, *unique.Invocation) int { return 0 }), "another Serve")
	require.Error(t, app.Serve(within(t), nil))
}
