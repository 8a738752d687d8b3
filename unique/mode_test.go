package unique_test

import (
	"context"
	"encoding/json"
	"expvar"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func TestModeLauncher(t *testing.T) {
	opts := uniquetest.Options(t)
	launcher := *opts
	launcher.Mode = unique.ModeLauncher
	_, err := unique.Acquire(within(t), testID, &launcher)
	require.ErrorIs(t, err, unique.ErrNoPrimary)
	primary(t, opts, exits(3))
	app, err := unique.Acquire(within(t), testID, &launcher)
	require.NoError(t, err)
	require.Equal(t, unique.Secondary, app.Role())
	require.Equal(t, 3, <-forwarding(t, app))
	require.NoError(t, app.Close())
}

func TestModeService(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.Mode = unique.ModeService
	app := primary(t, opts, exits(3))
	var running *unique.RunningError
	_, err := unique.Acquire(within(t), testID, opts)
	require.ErrorAs(t, err, &running)
	require.ErrorIs(t, err, unique.ErrRunning)
	require.Equal(t, app.Holder().PID, running.Holder.PID)
	_, err = unique.Run(within(t), testID, opts, exits(0))
	require.ErrorIs(t, err, unique.ErrRunning)
}

// A service has time until the first thing to do, whatever its idle time.
func TestServiceIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, &unique.Options{Mode: unique.ModeService, Idle: time.Second})
		ended := make(chan error, 1)
		go func() { ended <- s.srv.Serve(context.Background(), exits(0)) }()
		time.Sleep(9 * time.Second)
		synctest.Wait()
		require.Empty(t, ended)
		s.say("a", request("x"))
		s.say("a", goes)
		s.expect("a", unique.KindOffer, unique.KindExit)
		time.Sleep(2 * time.Second)
		require.NoError(t, <-ended)
		s.srv.Close(t.Context())
	})
}

// Run in a service has no invocation of its own, and ends by its idle time.
func TestRunService(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.Mode, opts.Idle = unique.ModeService, time.Nanosecond
	var ran []string
	ended := make(chan error, 1)
	go func() {
		_, err := unique.Run(context.Background(), testID, opts, func(_ context.Context, inv *unique.Invocation) int {
			ran = append(ran, inv.Args[0])
			return 0
		})
		ended <- err
	}()
	awaitPrimary(t, opts, 0)
	launcher := &unique.Options{Dir: opts.Dir, Mode: unique.ModeLauncher}
	app, err := unique.Acquire(within(t), testID, launcher)
	require.NoError(t, err)
	_, err = app.Forward(within(t), &unique.Invocation{Args: []string{"only this"}})
	require.NoError(t, err)
	require.NoError(t, app.Close())
	require.NoError(t, <-ended)
	require.Equal(t, []string{"only this"}, ran)
}

// A process that opts out meets nobody, and yet works.
func TestModeAlone(t *testing.T) {
	opts := uniquetest.Options(t)
	other := primary(t, opts, exits(3))
	require.False(t, other.Alone())
	opts.Mode = unique.ModeAlone
	app := primary(t, opts, exits(4))
	require.True(t, app.Alone())
	require.Equal(t, 4, <-forwarding(t, app))
	pub, err := app.Open(within(t), "x", msgcore.Pub, nil)
	require.NoError(t, err)
	require.NoError(t, pub.Close())
	require.Error(t, app.Relaunch(within(t), actor(t, "sit")))
	code, err := unique.Run(within(t), testID, opts, exits(5))
	require.NoError(t, err)
	require.Equal(t, 5, code)
	require.ErrorContains(t, (&unique.Options{Mode: 9}).Validate(), "Mode")
	require.ErrorContains(t, (&unique.Options{Mode: unique.ModeAlone, Replace: true}).Validate(), "Replace")
	require.ErrorContains(t, (&unique.Options{Mode: unique.ModeService, StartPrimary: actor(t, "sit")}).Validate(), "StartPrimary")
	require.Equal(t, "a launcher", unique.ModeLauncher.String())
}

// A standby is a secondary that becomes the primary when that one ends.
func TestStandby(t *testing.T) {
	opts := uniquetest.Options(t)
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	go first.Serve(context.Background(), exits(1))
	standby := *opts
	standby.Standby, standby.Idle, standby.Version = true, -1, "standby"
	type result struct {
		code int
		err  error
	}
	done := make(chan result, 1)
	ctx, cancel := context.WithCancel(within(t))
	go func() {
		code, err := unique.Run(ctx, testID, &standby, exits(2))
		done <- result{code, err}
	}()
	require.Eventually(t, func() bool { return first.Stats().Completed == 1 }, patience, time.Millisecond)
	require.Empty(t, done)
	require.NoError(t, first.Close())
	require.Eventually(t, func() bool {
		h, err := unique.Lookup(within(t), testID, opts)
		return err == nil && h.Version == "standby"
	}, patience, time.Millisecond)
	second := secondary(t, opts)
	require.Equal(t, 2, <-forwarding(t, second))
	cancel()
	r := <-done
	require.ErrorIs(t, r.err, context.Canceled)
	require.Equal(t, 1, r.code, "that of its own invocation, which the first one ran")
}

func TestStatsAndLog(t *testing.T) {
	var mu sync.Mutex
	var said []string
	opts := uniquetest.Options(t)
	opts.Log = func(msg string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if len(args)%2 != 0 {
			t.Errorf("%s: not pairs: %v", msg, args)
		}
		said = append(said, msg)
	}
	app := primary(t, opts, exits(0))
	second := secondary(t, opts)
	_, err := second.Forward(within(t), &unique.Invocation{Args: []string{"secret"}})
	require.NoError(t, err)
	_, err = app.Forward(within(t), &unique.Invocation{Args: []string{"secret"}})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return app.Stats().Completed == 2 }, patience, time.Millisecond)
	require.Zero(t, second.Stats())
	var shown map[string]any
	require.NoError(t, json.Unmarshal([]byte(expvar.Func(func() any { return app.Stats() }).String()), &shown))
	require.Equal(t, "serving", shown["State"])
	require.EqualValues(t, 2, shown["Completed"])
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, said, "primary")
	require.Contains(t, said, "secondary")
	require.Contains(t, said, "the handler has ended")
	require.NotContains(t, said, "secret")
}
