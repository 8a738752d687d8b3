//go:build unix

package unique_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

func init() {
	roles["elect-default"] = electDefault
}

// TestBareAccount: no HOME, no XDG_RUNTIME_DIR, a read-only home, an odd umask, not root.
func TestBareAccount(t *testing.T) {
	needRoot(t)
	for _, umask := range []int{0o022, 0o077, 0o277, 0o777} {
		t.Run(fmt.Sprintf("umask %#o", umask), func(t *testing.T) {
			id := fmt.Sprintf("test-%d-%s", os.Getpid(), t.Name())
			start := func(env ...string) (*exec.Cmd, io.WriteCloser, string) {
				cmd := asNobody(t, "elect-default", id, strconv.Itoa(umask))
				cmd.Env = append([]string{roleEnv + "=elect-default", quickExit}, env...)
				in, err := cmd.StdinPipe()
				require.NoError(t, err)
				out, err := cmd.StdoutPipe()
				require.NoError(t, err)
				require.NoError(t, cmd.Start())
				line, err := bufio.NewReader(out).ReadString('\n')
				require.NoError(t, err)
				return cmd, in, strings.TrimSpace(line)
			}
			dir := fmt.Sprintf("/tmp/solomq-%d", nobody)
			if _, err := os.Lstat(dir); err != nil {
				defer os.RemoveAll(dir)
			}
			first, hold, line := start("HOME=/nonexistent")
			require.Equal(t, "won "+dir, line)
			// The same user in other surroundings meets the first one.
			other, in, line := start("HOME=/proc", "TMPDIR=/proc", "XDG_RUNTIME_DIR=/run")
			require.Equal(t, "lost "+dir, line)
			in.Close()
			require.NoError(t, other.Wait())
			hold.Close()
			require.NoError(t, first.Wait())
		})
	}
}

// electDefault stands for primary with default options, says how it went and in which directory, and stays until its
// standard input ends.
func electDefault(args []string) int {
	umask, err := strconv.Atoi(args[1])
	if err != nil {
		return 2
	}
	syscall.Umask(umask)
	site, err := unique.OpenSite(args[0], nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	won, err := site.Elect(context.Background())
	switch {
	case err != nil:
		fmt.Println(err)
		return 1
	case won == nil:
		fmt.Println("lost", site.Dir())
		return 0
	}
	if err := won.Publish(unique.Record{Proto: 1, Endpoint: "ipc:///x"}); err != nil {
		fmt.Println(err)
		return 1
	}
	if r, err := site.ReadRecord(); err != nil || r.PID != os.Getpid() {
		fmt.Println("no record", err)
		return 1
	}
	fmt.Println("won", site.Dir())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := won.Release(); err != nil {
		return 1
	}
	return 0
}

// asNobody is actor as another user. The test binary may lie where that user cannot go, so it is copied.
func asNobody(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "as-nobody-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	cmd := actor(t, role, args...)
	from, err := os.Open(cmd.Path)
	require.NoError(t, err)
	defer from.Close()
	self := filepath.Join(dir, "self")
	to, err := os.OpenFile(self, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(to, from)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	require.NoError(t, os.Chmod(self, 0o755))
	cmd.Path = self
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}
