package transport_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
)

// none is a Transport that reaches nobody.
type none struct{ name string }

func (none) Dial(context.Context, string, *transport.Options) (transport.Conn, error) {
	return nil, errors.ErrUnsupported
}

func (none) Listen(context.Context, string, *transport.Options) (transport.Listener, error) {
	return nil, errors.ErrUnsupported
}

func TestRegister(t *testing.T) {
	_, ok := transport.Lookup("test-b")
	require.False(t, ok)
	transport.Register("test-b", none{"b"})
	transport.Register("test-a", none{"a"})
	got, ok := transport.Lookup("test-b")
	require.True(t, ok)
	require.Equal(t, none{"b"}, got)
	require.Subset(t, transport.Schemes(), []string{"test-a", "test-b"})
	require.True(t, slices.IsSorted(transport.Schemes()))

	require.PanicsWithValue(t, `transport: Register called twice for "test-a", by transport_test.none and transport_test.none`,
		func() { transport.Register("test-a", none{"again"}) })
	require.Panics(t, func() { transport.Register("test-c", nil) })
	require.Panics(t, func() { transport.Register("", none{}) })
	require.Panics(t, func() { transport.Register("Test", none{}) })
	got, _ = transport.Lookup("test-a")
	require.Equal(t, none{"a"}, got, "a Register that panicked must change nothing")
}

// There is no most of what can be registered.
func TestRegisterMany(t *testing.T) {
	for i := range 50 {
		transport.Register(fmt.Sprintf("test-many-%d", i), none{strconv.Itoa(i)})
	}
	for i := range 50 {
		got, ok := transport.Lookup(fmt.Sprintf("test-many-%d", i))
		require.True(t, ok)
		require.Equal(t, none{strconv.Itoa(i)}, got)
	}
	require.GreaterOrEqual(t, len(transport.Schemes()), 50)
}
