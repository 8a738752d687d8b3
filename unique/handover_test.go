package unique_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// A primary that lets itself be replaced ends what runs, and those who come
// meanwhile are served by its successor.
func TestReplace(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.AllowReplace = true
	opts.Timeouts.Offer = time.Second / 2 // which must not bound the hand-over
	old, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	running, release := make(chan struct{}), make(chan struct{})
	served := make(chan error, 1)
	go func() {
		served <- old.Serve(context.Background(), func(context.Context, *unique.Invocation) int {
			close(running)
			<-release
			return 1
		})
	}()
	first, early := secondary(t, opts), secondary(t, opts)
	code := forwarding(t, first)
	<-running

	successor := make(chan *unique.Instance, 1)
	go func() {
		replacing := *opts
		replacing.Replace, replacing.AllowReplace, replacing.Version = true, false, "2"
		app, err := unique.Acquire(within(t), testID, &replacing)
		if err != nil {
			t.Error(err)
		}
		successor <- app
	}()
	<-old.Lost()
	var by *unique.ReplacedError
	require.ErrorAs(t, old.Err(), &by)
	require.ErrorIs(t, by, unique.ErrLost)
	require.Equal(t, old.Holder().PID, by.By.PID) // it is the same process here
	h, err := unique.Lookup(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, unique.Leaving, h.State)
	require.Equal(t, old.Holder().PID, h.Successor)

	waiting := forwarding(t, early)
	late := make(chan *unique.Instance, 1)
	go func() {
		app, err := unique.Acquire(within(t), testID, opts)
		if err != nil {
			t.Error(err)
		}
		late <- app
	}()
	time.Sleep(3 * opts.Timeouts.Offer) // longer than one who leaves for good is waited for
	require.Empty(t, successor)
	require.Empty(t, late)
	close(release)
	require.Equal(t, 1, <-code)
	next := <-successor
	require.Equal(t, unique.Primary, next.Role())
	defer next.Close()
	require.ErrorIs(t, <-served, unique.ErrLost)
	require.NoError(t, old.Close())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = next.Serve(ctx, func(context.Context, *unique.Invocation) int { return 2 })
	}()
	require.Equal(t, 2, <-waiting)
	app := <-late
	require.Equal(t, unique.Secondary, app.Role())
	require.Equal(t, 2, <-forwarding(t, app))
	require.NoError(t, app.Close())
	require.Equal(t, next.Holder().Endpoint, app.Holder().Endpoint)
	require.Nil(t, next.Err())
	cancel()
	<-ended

	// This one does not.
	replacing := *opts
	replacing.Replace = true
	again, err := unique.Acquire(within(t), testID, &replacing)
	require.NoError(t, err)
	require.Equal(t, unique.Secondary, again.Role())
	require.NoError(t, again.Close())
}

// forwarding forwards an empty invocation and returns where its exit code will
// be.
func forwarding(t *testing.T, app *unique.Instance) <-chan int {
	code := make(chan int, 1)
	go func() {
		c, err := app.Forward(within(t), &unique.Invocation{})
		if err != nil {
			t.Error(err)
		}
		code <- c
	}()
	return code
}

// Successors take turns, the old one's place being the next one's each time, and
// the names of the endpoint alternate.
func TestReplaceAgainAndAgain(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.AllowReplace, opts.Replace = true, true
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	for range size(6, 60) {
		next, err := unique.Acquire(within(t), testID, opts)
		require.NoError(t, err)
		require.Equal(t, unique.Primary, next.Role())
		require.NotEqual(t, app.Holder().Endpoint, next.Holder().Endpoint)
		<-app.Lost()
		require.NoError(t, app.WaitExit(within(t)))
		require.NoError(t, app.Close())
		app = next
	}
	require.NoError(t, app.Close())
}

// A successor that gives up, or dies, leaves no trace.
func TestSuccessorGivesUp(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.AllowReplace = true
	old, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	running, release := make(chan struct{}), make(chan struct{})
	go old.Serve(context.Background(), func(context.Context, *unique.Invocation) int {
		close(running)
		<-release
		return 1
	})
	code := forwarding(t, old)
	<-running
	ctx, cancel := context.WithCancelCause(context.Background())
	gaveUp := make(chan error, 1)
	go func() {
		replacing := *opts
		replacing.Replace = true
		_, err := unique.Acquire(ctx, testID, &replacing)
		gaveUp <- err
	}()
	<-old.Lost()
	why := errors.New("reconsidered")
	cancel(why)
	require.ErrorIs(t, <-gaveUp, why)
	require.Eventually(t, func() bool {
		h, err := unique.Lookup(within(t), testID, opts)
		return err == nil && h.State == unique.Leaving && h.Successor == 0
	}, patience, time.Millisecond)
	close(release)
	require.Equal(t, 1, <-code)
	next, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, unique.Primary, next.Role())
	require.NoError(t, next.Close())
	require.NoError(t, old.Close())
}

func TestRelaunchNeedsThePrimary(t *testing.T) {
	opts := uniquetest.Options(t)
	app := primary(t, opts, exits(4))
	second := secondary(t, opts)
	require.ErrorIs(t, second.Relaunch(within(t), actor(t, "sit")), errors.ErrUnsupported)

	// It remains the primary if the program does not ask for its place.
	var start *unique.StartError
	require.ErrorAs(t, app.Relaunch(within(t), actor(t, "none of these")), &start)
	require.ErrorContains(t, start, "125")
	require.Equal(t, 4, <-forwarding(t, second))
}

// WaitExit of a secondary ends with the primary, not with the place.
func TestWaitExit(t *testing.T) {
	opts := uniquetest.Options(t)
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	second := secondary(t, opts)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, second.WaitExit(ctx), context.DeadlineExceeded)
	require.ErrorIs(t, first.WaitExit(ctx), context.DeadlineExceeded)
	ended := make(chan error, 2)
	go func() { ended <- second.WaitExit(within(t)) }()
	go func() { ended <- first.WaitExit(within(t)) }()
	require.NoError(t, first.Close())
	require.NoError(t, <-ended)
	require.NoError(t, <-ended)
}
