package unique_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// Each of the four answers arrives, from a secondary and in the primary.
func TestCommands(t *testing.T) {
	seen := make(chan *unique.Invocation, 1)
	answer := func(a unique.Answer, code int) unique.Handler {
		return func(_ context.Context, inv *unique.Invocation) int {
			inv.Answer = a
			inv.Reply = [][]byte{[]byte(inv.Command)}
			seen <- inv
			return code
		}
	}
	commands := unique.Commands{
		unique.CommandOpen:     answer(0, 0),
		unique.CommandActivate: answer(unique.AnswerOK, 3), // the answer and the code of the process are two things
		unique.CommandClose:    answer(unique.AnswerCanceled, 0),
		unique.CommandNew:      answer(0, 1),
		"com.example.own":      answer(0, unique.NotHandled),
	}
	both(t, commands.Dispatch, func(t *testing.T, app *unique.Instance) {
		for name, want := range map[string]unique.Answer{
			unique.CommandOpen:     unique.AnswerOK,
			unique.CommandActivate: unique.AnswerOK,
			unique.CommandClose:    unique.AnswerCanceled,
			unique.CommandNew:      unique.AnswerFailed,
			"com.example.own":      unique.AnswerNotHandled,
		} {
			got, err := app.Command(within(t), name, "a file", "file:///b%20c")
			require.NoError(t, err, name)
			require.Equal(t, want, got, name)
			inv := <-seen
			require.Equal(t, name, inv.Command)
			require.Equal(t, []string{"a file", "file:///b%20c"}, inv.Targets)
		}
		got, err := app.Command(within(t), "none has this")
		require.NoError(t, err)
		require.Equal(t, unique.AnswerNotHandled, got)

		inv := unique.Current().WithCommand("com.example.own")
		_, err = app.Forward(within(t), inv)
		<-seen
		require.ErrorIs(t, err, unique.ErrNotHandled)
		require.Equal(t, unique.AnswerNotHandled, inv.Answer)
		inv = unique.Current().WithCommand(unique.CommandActivate)
		code, err := app.Forward(within(t), inv)
		<-seen
		require.NoError(t, err)
		require.Equal(t, 3, code)
		require.Equal(t, "activate", string(inv.Reply[0]))
	})
	require.Equal(t, "canceled", unique.AnswerCanceled.String())
	require.Equal(t, "Answer(9)", unique.Answer(9).String())
}

func TestTargetPath(t *testing.T) {
	if onWindows {
		t.Skip("paths differ")
	}
	inv := &unique.Invocation{Dir: "/home/me/dir"}
	for target, want := range map[string]string{
		"a b":                            "/home/me/dir/a b",
		"/abs/../x":                      "/x",
		"./mailto:x":                     "/home/me/dir/mailto:x",
		"a/b:c":                          "/home/me/dir/a/b:c",
		"file:///tmp/a%20b":              "/tmp/a b",
		"FILE://localhost/tmp/%E2%82%AC": "/tmp/€",
	} {
		got, err := inv.TargetPath(target)
		require.NoError(t, err, target)
		require.Equal(t, want, got)
	}
	for _, target := range []string{"https://example.com/secret", "file://host/secret", "file:secret", "mailto:secret", "file:///%zz"} {
		_, err := inv.TargetPath(target)
		require.Error(t, err, target)
		require.NotContains(t, err.Error(), "secret", "targets are the user's own business")
	}
	_, err := (&unique.Invocation{DirErr: errors.New("why")}).TargetPath("x")
	require.ErrorContains(t, err, "why")
	require.True(t, filepath.IsAbs("/"))
}
