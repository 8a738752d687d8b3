package unique_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func credOf(uid int) transport.Cred { return transport.Cred{PID: 1, UID: uid, GID: 1} }

func TestOpen(t *testing.T) {
	t.Run("short", func(t *testing.T) { testOpen(t, uniquetest.Options(t)) })
	t.Run("tcp", func(t *testing.T) {
		opts := uniquetest.Options(t)
		opts.TCP = true
		testOpen(t, opts)
	})
	t.Run("deep", func(t *testing.T) { // too deep for sockets
		opts := uniquetest.Options(t)
		opts.Dir = filepath.Join(opts.Dir, strings.Repeat("d", 200))
		testOpen(t, opts)
	})
}

func testOpen(t *testing.T, opts *unique.Options) {
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	defer first.Close()
	second := secondary(t, opts)

	pub, err := first.Open(within(t), "news", msgcore.Pub, nil)
	require.NoError(t, err)
	defer pub.Close()
	asked := false
	sub, err := second.Open(within(t), "news", msgcore.Sub, &msgcore.Options{
		Transport: transport.Options{Credentials: func(c transport.Cred) error {
			asked = asked || c.UID == os.Geteuid() || c.UID == -1
			return nil
		}},
	})
	require.NoError(t, err)
	defer sub.Close()
	require.NoError(t, sub.Subscribe(""))
	require.NoError(t, pub.WaitSubscribers(within(t), 1))
	require.NoError(t, pub.Send(within(t), []byte("hello")))
	m, err := sub.Recv(within(t))
	require.NoError(t, err)
	require.Equal(t, "hello", string(m.Frames[0]))
	require.True(t, asked || opts.TCP, "the caller's own Credentials count, too")

	a, o, err := first.Endpoint(within(t), "other")
	require.NoError(t, err)
	b, _, err := second.Endpoint(within(t), "other")
	require.NoError(t, err)
	require.Equal(t, a, b)
	if opts.TCP {
		require.Equal(t, "CURVE", o.Mechanism.Name())
		require.True(t, o.Mechanism.Server())
	} else {
		require.ErrorIs(t, o.Transport.Credentials(credOf(os.Geteuid()+1)), unique.ErrOtherUser)
	}

	_, _, err = first.Endpoint(within(t), "")
	require.Error(t, err)
	_, err = first.Open(within(t), "bad", msgcore.Pub, &msgcore.Options{RoutingID: "\x00"})
	require.Error(t, err)
	require.NoError(t, first.Close())
	_, _, err = second.Endpoint(within(t), "news")
	require.ErrorIs(t, err, unique.ErrNoPrimary)
}
