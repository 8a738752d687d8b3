package unique_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

func init() {
	roles["exit"] = func(args []string) int { code, _ := strconv.Atoi(args[0]); return code }
	roles["touch"] = func(args []string) int {
		dir, err := os.Getwd()
		if err != nil || os.WriteFile(args[0], []byte(dir+"\n"+os.Getenv("SOLOMQ_TEST_VALUE")), 0o600) != nil {
			return 1
		}
		return 0
	}
}

func startDetached(cmd *exec.Cmd) (pid int, died <-chan error, err error) {
	d, err := unique.Detach(cmd)
	if err != nil {
		return 0, nil, err
	}
	return d.PID(), d.Died(), nil
}

func TestEarlyDeathIsReported(t *testing.T) {
	for range 3 {
		pid, died, err := startDetached(actor(t, "exit", "7"))
		require.NoError(t, err)
		require.Positive(t, pid)
		require.NotEqual(t, os.Getpid(), pid)
		err, ok := <-died
		require.True(t, ok)
		require.ErrorContains(t, err, "(pid "+strconv.Itoa(pid)+") has ended: exit code 7")
		_, ok = <-died
		require.False(t, ok)
	}
}

func TestProgramsThatCannotBeStarted(t *testing.T) {
	missing := exec.Command(filepath.Join(t.TempDir(), "missing"))
	_, _, err := startDetached(missing)
	if !onWindows { // where the extension is looked for first
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	require.ErrorContains(t, err, "unique: cannot start the primary: ")

	_, _, err = startDetached(exec.Command("no-such-program-anywhere"))
	require.ErrorIs(t, err, exec.ErrNotFound)

	nowhere := actor(t, "exit", "0")
	nowhere.Dir = filepath.Join(t.TempDir(), "missing")
	_, _, err = startDetached(nowhere)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestCommandIsOnlyRead: one exec.Cmd serves any number of starts, and its directory and environment are heeded.
func TestCommandIsOnlyRead(t *testing.T) {
	file, dir := filepath.Join(t.TempDir(), "file"), physicalDir(t)
	cmd := actor(t, "touch", file)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "SOLOMQ_TEST_VALUE=first", "SOLOMQ_TEST_VALUE=last")
	before := *cmd
	for range 2 {
		_, died, err := startDetached(cmd)
		require.NoError(t, err)
		require.ErrorContains(t, <-died, "exit code 0")
		require.Equal(t, before, *cmd)
		said, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, dir+"\nlast", string(said))
		require.NoError(t, os.Remove(file))
	}
}

// physicalDir is t.TempDir without links on the way, as errors and getcwd name it.
func physicalDir(t *testing.T) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	return dir
}

func TestChildEnv(t *testing.T) {
	got := unique.ChildEnv([]string{
		"PATH=/bin", "XDG_ACTIVATION_TOKEN=secret", "DESKTOP_STARTUP_ID=x", "HOME=/a", "NOTIFY_SOCKET=/s", "LISTEN_FDS=1",
		"LISTEN_PID=1", "EMPTY=", "HOME=/b", "PWD=/somewhere", "SYSTEMROOT=x", "XDG_ACTIVATION_TOKENS=kept",
	})
	require.Equal(t, []string{"PATH=/bin", "HOME=/b", "EMPTY=", "SYSTEMROOT=x", "XDG_ACTIVATION_TOKENS=kept"}, got)
}
