package unique_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func init() { roles["forget"] = playForget }

// playForget becomes the primary, keeps nothing of that, and lets the collector
// run until its input ends.
func playForget([]string) int {
	if _, err := unique.Acquire(context.Background(), testID, roleOptions()); err != nil {
		return exitWith(err)
	}
	var ended atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		ended.Store(true)
	}()
	for k := 0; !ended.Load(); k++ {
		runtime.GC()
		if k == 20 {
			_, _ = os.Stdout.WriteString("collected\n")
		}
	}
	return 0
}

// A program that drops its Instance goes on being the primary until it ends.
func TestProcessForgottenInstance(t *testing.T) {
	opts := uniquetest.Options(t)
	cmd := actor(t, "forget")
	cmd.Env = append(cmd.Env, dirEnv+"="+opts.Dir)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "collected\n", line)
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, unique.Secondary, app.Role())
	require.Equal(t, cmd.Process.Pid, app.Holder().PID)
	require.NoError(t, app.Close())
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	requireNext(t, opts)
}

// requireNext checks that whoever comes now is the primary.
func requireNext(t *testing.T, opts *unique.Options) {
	t.Helper()
	app, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, unique.Primary, app.Role())
	require.NoError(t, app.Close())
}
