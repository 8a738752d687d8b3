package unique_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

var jsonCodec = unique.Codec{Marshal: json.Marshal, Unmarshal: json.Unmarshal}

func TestCall(t *testing.T) {
	type point struct{ X, Y int }
	h := unique.Commands{
		"sum": unique.Answerer(jsonCodec, func(_ context.Context, inv *unique.Invocation, p point) (int, error) {
			if inv.Command != "sum" || p.X < 0 {
				return 0, errors.New("no negative numbers")
			}
			return p.X + p.Y, nil
		}),
		"odd":  unique.Answerer(jsonCodec, func(context.Context, *unique.Invocation, int) (chan int, error) { return nil, nil }),
		"code": func(context.Context, *unique.Invocation) int { return 4 },
	}.Dispatch
	both(t, h, func(t *testing.T, app *unique.Instance) {
		sum, err := unique.Call[point, int](within(t), app, jsonCodec, "sum", point{3, 4})
		require.NoError(t, err)
		require.Equal(t, 7, sum)
		_, err = unique.Call[point, int](within(t), app, jsonCodec, "sum", point{-1, 4})
		var e *unique.CallError
		require.ErrorAs(t, err, &e)
		require.Equal(t, unique.CallError{Command: "sum", Reason: "no negative numbers"}, *e)
		_, err = unique.Call[string, int](within(t), app, jsonCodec, "sum", "not a point")
		require.ErrorContains(t, err, "request cannot be decoded")
		_, err = unique.Call[point, string](within(t), app, jsonCodec, "sum", point{1, 2})
		require.ErrorContains(t, err, "answer of \"sum\" cannot be decoded")
		_, err = unique.Call[chan int, int](within(t), app, jsonCodec, "sum", nil)
		require.ErrorContains(t, err, "request of \"sum\" cannot be encoded")
		_, err = unique.Call[int, int](within(t), app, jsonCodec, "odd", 1)
		require.ErrorContains(t, err, "answer cannot be encoded")
		_, err = unique.Call[int, int](within(t), app, jsonCodec, "code", 1)
		require.ErrorContains(t, err, "exit code 4")
		_, err = unique.Call[int, int](within(t), app, jsonCodec, "none", 1)
		require.ErrorIs(t, err, unique.ErrNotHandled)
		code, err := app.Forward(within(t), unique.Current().WithCommand("sum"))
		require.NoError(t, err)
		require.Equal(t, 1, code, "a peer that sends no value")
	})
}
