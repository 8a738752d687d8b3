//go:build linux || darwin || freebsd

package ipc_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/ipc"
)

// pidOf is what the system tells of a process with this id.
func pidOf(pid int) int {
	if runtime.GOOS == "freebsd" {
		return -1
	}
	return pid
}

// Each side learns the other's process.
func TestPeerCred(t *testing.T) {
	path := freshPath(t)
	l := listen(t, path, nil)
	h := startHelper(t)
	require.Equal(t, "ok", h.do(t, "dial "+path))
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	got, err := c.(transport.CredConn).PeerCred()
	require.NoError(t, err)
	require.Equal(t, transport.Cred{PID: pidOf(h.cmd.Process.Pid), UID: os.Geteuid(), GID: os.Getegid()}, got)

	theirs := freshPath(t)
	require.Equal(t, "ok", h.do(t, "listen "+theirs))
	d, err := ipc.Transport{}.Dial(t.Context(), theirs, nil)
	require.NoError(t, err)
	defer d.Close()
	got, err = d.(transport.CredConn).PeerCred()
	require.NoError(t, err)
	require.Equal(t, transport.Cred{PID: pidOf(h.cmd.Process.Pid), UID: os.Geteuid(), GID: os.Getegid()}, got)

	// It is the same when it is asked again, and nobody can change it.
	got.UID = -2
	got, err = d.(transport.CredConn).PeerCred()
	require.NoError(t, err)
	require.Equal(t, transport.Cred{PID: pidOf(h.cmd.Process.Pid), UID: os.Geteuid(), GID: os.Getegid()}, got)

	c.Close()
	got, err = c.(transport.CredConn).PeerCred()
	require.Error(t, err)
	require.Equal(t, transport.Cred{PID: -1, UID: -1, GID: -1}, got)
}

// A refused peer is closed, and the next one is accepted by the same Accept.
func TestAcceptCredentials(t *testing.T) {
	path := freshPath(t)
	var asked []transport.Cred
	l := listen(t, path, &transport.Options{Credentials: func(c transport.Cred) error {
		asked = append(asked, c)
		if len(asked) < 3 {
			return errors.New("not you")
		}
		return nil
	}})
	var dialed []transport.Conn
	for range 3 {
		c, err := ipc.Transport{}.Dial(t.Context(), path, nil)
		require.NoError(t, err)
		defer c.Close()
		dialed = append(dialed, c)
	}
	c, err := l.Accept()
	require.NoError(t, err)
	_, err = c.Write([]byte("welcome"))
	require.NoError(t, err)
	c.Close()
	for i, want := range []string{"", "", "welcome"} {
		got, err := io.ReadAll(dialed[i])
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		require.Equal(t, transport.Cred{PID: pidOf(os.Getpid()), UID: os.Geteuid(), GID: os.Getegid()}, asked[i])
	}
}

// Dial fails with the very error.
func TestDialCredentials(t *testing.T) {
	path := freshPath(t)
	l := listen(t, path, nil)
	no := errors.New("not you")
	_, err := ipc.Transport{}.Dial(t.Context(), path, &transport.Options{Credentials: func(transport.Cred) error { return no }})
	require.ErrorIs(t, err, no)
	require.ErrorContains(t, err, "ipc: dial "+path)
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	_, err = io.ReadAll(c)
	require.NoError(t, err, "the refused connection must be closed")
}

// asNobody runs a helper as another user, which only root can.
func asNobody(t *testing.T) *helper {
	t.Helper()
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("only root on Linux can be somebody else")
	}
	return startHelper(t, func(cmd *exec.Cmd) {
		cmd.Path = "/proc/self/exe" // the file itself is in a directory of root's
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65533}}
	})
}

// Another user is kept out by the file's mode and, if that allows, known for
// what he is.
func TestOtherUser(t *testing.T) {
	h := asNobody(t)
	path := freshPath(t)
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o711)) // for the other user to enter
	l := listen(t, path, nil)
	require.Contains(t, h.do(t, "dial "+path), "permission denied")
	require.NoError(t, os.Chmod(path, 0o666)) // for the other user to connect
	require.Equal(t, "ok", h.do(t, "dial "+path))
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	got, err := c.(transport.CredConn).PeerCred()
	require.NoError(t, err)
	require.Equal(t, transport.Cred{PID: h.cmd.Process.Pid, UID: 65534, GID: 65533}, got)
}

// In a directory that cannot be opened, and so not be locked, Listen works but
// removes nothing.
func TestDirectoryNotReadable(t *testing.T) {
	h := asNobody(t)
	path := freshPath(t)
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o733)) // that is the case
	require.Equal(t, "ok", h.do(t, "listen "+path))
	require.Equal(t, "in use", h.do(t, "listen "+path))
	require.Equal(t, "ok", h.do(t, "close"))
	require.NoFileExists(t, path)
	leaveStale(t, path)
	require.NoError(t, os.Chmod(path, 0o666)) // so that it can be found stale
	require.Equal(t, "in use", h.do(t, "listen "+path))
	require.FileExists(t, path)
}
