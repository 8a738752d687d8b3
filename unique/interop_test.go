package unique_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// python finds an interpreter with pyzmq. In CI a missing one is a failure.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3", "python"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import zmq").Run() == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Python with pyzmq (Debian: python3-zmq), which CI must have")
	}
	t.Skip("no Python with pyzmq (Debian: apt-get install python3-zmq): the foreign secondary was not tested")
	return ""
}

// A script of a few lines with a plain REQ socket hands its command line over.
func TestInteropPython(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("libzmq has no ipc that ours speaks on Windows")
	}
	for _, tcp := range []bool{false, true} {
		t.Run(map[bool]string{false: "ipc", true: "tcp with CURVE"}[tcp], func(t *testing.T) {
			opts := uniquetest.Options(t)
			opts.TCP = tcp
			testInteropPython(t, opts)
		})
	}
}

func testInteropPython(t *testing.T, opts *unique.Options) {
	interpreter := python(t)
	seen := make(chan *unique.Invocation, 1)
	primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		// It asked for no stream: none of these may disturb the lockstep.
		inv.Progress(unique.Progress{Done: 1})
		_, _ = inv.Stdout.Write([]byte("dropped"))
		_, _ = inv.Stdin.Read(make([]byte, 1))
		seen <- inv
		return -7
	})
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	script, err := filepath.Abs("testdata/forward.py")
	require.NoError(t, err)
	for range 3 {
		args := []string{"prog", "", "two words", "new\nline", "\xff"}
		cmd := exec.Command(interpreter, append([]string{script, where.Record}, args...)...)
		cmd.Dir, err = filepath.EvalSymlinks(t.TempDir())
		require.NoError(t, err)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		require.NoError(t, err)
		require.Equal(t, "-7", strings.TrimSpace(string(out)))
		inv := <-seen
		require.Equal(t, args, inv.Args)
		require.Equal(t, cmd.Dir, inv.Dir)
		if opts.TCP {
			require.Equal(t, unique.Peer{PID: -1, UID: -1, GID: -1}, inv.Peer, "nobody tells")
		} else {
			require.Equal(t, cmd.Process.Pid, inv.Peer.PID)
		}
	}
}
