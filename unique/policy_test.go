package unique_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func TestAsk(t *testing.T) {
	e := &unique.UnresponsiveError{Holder: unique.Holder{PID: 77, UID: -1}}
	var out strings.Builder
	ask := unique.Ask(strings.NewReader("\nhow?\nW\n e \nrun\nq\n"), &out)
	require.Equal(t, unique.Retry, ask(e))
	require.Equal(t, 2+1, strings.Count(out.String(), "pid 77"))
	require.Equal(t, unique.Terminate, ask(e))
	require.Equal(t, unique.RunAnyway, ask(e))
	require.Equal(t, unique.Fail, ask(e))
	require.Equal(t, unique.Fail, ask(e), "the input has ended")
	r, w := io.Pipe()
	require.NoError(t, r.Close())
	require.Equal(t, unique.Fail, unique.Ask(strings.NewReader("w\n"), w)(e))
}

func TestOnVersion(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.Version, opts.AllowReplace = "1", true
	app := primary(t, opts, exits(0))
	secondary(t, opts) // the same version: nobody is asked

	newer := *opts
	newer.Version, newer.AllowReplace = "2", false
	newer.OnVersion = func(h *unique.Holder) unique.VersionDecision {
		require.Equal(t, "1", h.Version)
		return unique.RefuseVersion
	}
	var version *unique.VersionError
	_, err := unique.Acquire(within(t), testID, &newer)
	require.ErrorAs(t, err, &version)
	require.ErrorIs(t, err, unique.ErrVersion)
	require.Equal(t, "2", version.Want)
	require.Equal(t, app.Holder().PID, version.Holder.PID)

	newer.OnVersion = func(*unique.Holder) unique.VersionDecision { return unique.ForwardAnyway }
	secondary(t, &newer)

	newer.OnVersion = func(*unique.Holder) unique.VersionDecision { return unique.ReplacePrimary }
	next, err := unique.Acquire(within(t), testID, &newer)
	require.NoError(t, err)
	require.Equal(t, unique.Primary, next.Role())
	require.ErrorIs(t, app.Err(), unique.ErrLost)
	require.NoError(t, next.Close())
}

func TestErrorsTellTheHolder(t *testing.T) {
	h := unique.Holder{PID: 4711, UID: 1000, Version: "1.2"}
	for _, e := range []error{
		&unique.UnresponsiveError{Holder: h, Step: "hello"},
		&unique.LeavingError{Holder: h},
		&unique.GoneError{Holder: h, Err: errors.New("x")},
		&unique.PanicError{Holder: h},
		&unique.RefusedError{Holder: h},
		&unique.TooLargeError{Holder: h, What: "request"},
		&unique.RunningError{Holder: h},
		&unique.VersionError{Holder: h},
		&unique.VersionError{Holder: h, Protocol: true},
	} {
		require.Contains(t, e.Error(), "pid 4711 of uid 1000", "%T", e)
		require.True(t, strings.HasPrefix(e.Error(), "unique: "), "%T", e)
	}
	root := &unique.OtherUserError{PID: 1, UID: 0, Want: 1000}
	require.ErrorIs(t, root, unique.ErrElevated)
	require.ErrorIs(t, root, unique.ErrOtherUser)
	require.NotErrorIs(t, &unique.OtherUserError{PID: 1, UID: 1001, Want: 1000}, unique.ErrElevated)
	require.Positive(t, unique.Holder{Started: unique.Holder{}.Started.AddDate(2000, 0, 0)}.Uptime())
	require.Zero(t, unique.Holder{}.Uptime())
}
