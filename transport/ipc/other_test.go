//go:build !unix && !windows

package ipc_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/transport/ipc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestUnsupported(t *testing.T) {
	_, err := ipc.Transport{}.Listen(t.Context(), "s", nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = ipc.Transport{}.Dial(t.Context(), "s", nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
}
