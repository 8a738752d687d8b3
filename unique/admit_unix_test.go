//go:build unix

package unique_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func init() {
	roles["app guest"] = playGuest
	roles["app host"] = playHost
}

func everybody(unique.Peer) error { return nil }

// playGuest forwards to the primary in a directory that it may only enter, and
// hears a channel.
func playGuest(args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	opts := &unique.Options{Dir: args[0]}
	if len(args) > 1 {
		opts.Admit = everybody
	}
	app, err := unique.Acquire(ctx, testID, opts)
	if err != nil {
		fmt.Println(err)
		return 0
	}
	defer app.Close()
	code, err := app.Forward(ctx, unique.Current())
	if err != nil {
		return exitWith(err)
	}
	sub, err := app.Open(ctx, "news", msgcore.Sub, nil)
	if err != nil {
		return exitWith(err)
	}
	defer sub.Close()
	if err := sub.Subscribe(""); err != nil {
		return exitWith(err)
	}
	m, err := sub.Recv(ctx)
	if err != nil {
		return exitWith(err)
	}
	fmt.Printf("%v, code %d, news %s\n", app.Role(), code, m.Bytes())
	return 0
}

// playHost is a primary in a directory until its standard input ends.
func playHost(args []string) int {
	app, err := unique.Acquire(context.Background(), testID, &unique.Options{Dir: args[0]})
	if err != nil {
		return exitWith(err)
	}
	defer app.Close()
	fmt.Println(app.Holder().Endpoint)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// openDir is a directory that others may enter.
func openDir(t *testing.T) *unique.Options {
	t.Helper()
	opts := uniquetest.Options(t)
	require.NoError(t, os.Chmod(opts.Dir, 0o755))
	return opts
}

// With Options.Dir and Options.Admit processes of other users hand over, if Admit
// says so, and never are the primary.
func TestAdmitOtherUsers(t *testing.T) {
	needRoot(t)
	opts := openDir(t)
	_, err := unique.Acquire(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrUnsafeDir, "not without Admit")

	guest := func(args ...string) string {
		out, err := asNobody(t, "app guest", append([]string{opts.Dir}, args...)...).Output()
		require.NoError(t, err)
		return strings.TrimSpace(string(out))
	}
	require.Contains(t, guest("admit"), unique.ErrNoPrimary.Error(), "it may not be the primary itself")

	asked := make(chan unique.Peer, 100)
	var refuse atomic.Bool
	opts.Admit = func(p unique.Peer) error {
		asked <- p
		if refuse.Load() {
			return errors.New("not this one")
		}
		return nil
	}
	peers := make(chan unique.Peer, 10)
	app := primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		peers <- inv.Peer
		return 9
	})
	pub, err := app.Open(within(t), "news", msgcore.XPub, nil)
	require.NoError(t, err)
	defer pub.Close()
	go func() {
		for range pub.Messages(context.Background()) { // of each subscription
			_ = pub.Send(context.Background(), []byte("good"))
		}
	}()
	require.Equal(t, "secondary, code 9, news good", guest("admit"))
	require.Equal(t, nobody, (<-peers).UID)
	p := <-asked
	require.Equal(t, nobody, p.UID)
	require.Positive(t, p.PID)
	<-asked // of its channel
	require.Contains(t, guest(), "belongs to uid 0", "who has no Admit trusts nobody's directory but its own")

	// Our own processes are not asked about.
	code, err := secondary(t, opts).Forward(within(t), unique.Current())
	require.NoError(t, err)
	require.Equal(t, 9, code)
	require.Empty(t, asked)

	refuse.Store(true)
	require.Contains(t, guest("admit"), unique.ErrNoPrimary.Error())
	require.NotEmpty(t, asked)
}

// What other users could change is nothing to share.
func TestAdmitUnsafeDirs(t *testing.T) {
	opts := openDir(t)
	opts.Admit = everybody
	for _, mode := range []os.FileMode{0o775, 0o757, 0o777 | os.ModeSticky} {
		require.NoError(t, os.Chmod(opts.Dir, mode))
		_, err := unique.Acquire(within(t), testID, opts)
		require.ErrorIs(t, err, unique.ErrUnsafeDir, mode)
	}
	require.ErrorContains(t, (&unique.Options{Admit: everybody}).Validate(), "needs Options.Dir")
	require.ErrorContains(t, (&unique.Options{Admit: everybody, Dir: "/x", TCP: true}).Validate(), "Options.TCP")
}

// Without Admit not even root gets an answer.
func TestRootIsAnotherUser(t *testing.T) {
	needRoot(t)
	dir, err := os.MkdirTemp("/tmp", "u")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chown(dir, nobody, nobody))
	host := asNobody(t, "app host", dir)
	in, err := host.StdinPipe()
	require.NoError(t, err)
	out, err := host.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, host.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	endpoint := lines.Text()

	c, err := net.Dial("unix", strings.TrimPrefix(endpoint, "ipc://"))
	require.NoError(t, err, "root may go anywhere")
	_, _ = c.Write(append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'N', 'U', 'L', 'L'}, make([]byte, 48)...))
	b, _ := io.ReadAll(c)
	require.Empty(t, b)
	require.NoError(t, c.Close())
	_, err = unique.Lookup(within(t), testID, &unique.Options{Dir: dir})
	require.ErrorIs(t, err, unique.ErrUnsafeDir)
	require.NoError(t, in.Close())
	require.NoError(t, host.Wait())
}
