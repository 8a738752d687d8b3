package unique_test

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/unique"
)

// What is on another host is recognised by the kernel's number for it, and said.
func TestNetworkFileSystems(t *testing.T) {
	for magic, want := range map[uint32]string{
		0x6969: "nfs", 0x5346414f: "afs", 0x6b414653: "afs", 0xff534d42: "smb", 0xfe534d42: "smb",
		0x517b: "smb", 0x73757245: "coda", 0x00c36400: "ceph", 0x01021997: "9p", 0x65735546: "fuse, perhaps remote",
		unix.TMPFS_MAGIC: "", unix.EXT4_SUPER_MAGIC: "", unix.BTRFS_SUPER_MAGIC: "", unix.OVERLAYFS_SUPER_MAGIC: "",
	} {
		require.Equal(t, want, unique.NetworkName(magic), "%#x", magic)
	}
	remote := unique.Location{Dir: "/net/home/.solomq", Network: "nfs"}
	require.Contains(t, remote.String(), "the directory is on a network file system (nfs)")
}

// In containers that share a directory every process may have the same pid, as
// each run of a Flatpak has: they are one application all the same.
func TestProcessContainers(t *testing.T) {
	needRoot(t)
	dir := testDir(t)
	contained := func(role string, args ...string) *process {
		cmd := actor(t, "app "+role, args...)
		cmd.Env = append(cmd.Env, dirEnv+"="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS}
		return startCmd(t, cmd)
	}
	probe := actor(t, "sit")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if err := probe.Run(); err != nil {
		if os.Getenv("CI") == "true" && os.Getuid() == 0 {
			t.Fatal("no namespaces here: ", err)
		}
		t.Skip("no namespaces here: ", err)
	}
	first := contained("serve")
	require.Equal(t, "ready", first.line())
	same := contained("second", "pid")
	require.Equal(t, "1", same.line(), "the pid of the primary, as it sees itself")
	require.Zero(t, same.wait())
	require.Equal(t, 7, contained("second", "exit", "7").wait())
	require.Equal(t, 8, start(t, "second", dir, nil, "exit", "8").wait(), "one on the host")

	// Its end is heard, and its place is free, as if it were here.
	waits := contained("second", "wait")
	require.Equal(t, "waiting", waits.line())
	require.NoError(t, waits.cmd.Process.Kill())
	require.Equal(t, "cause: "+unique.ErrCallerGone.Error(), first.line())
	require.NoError(t, first.cmd.Process.Kill())
	first.reap()
	next := contained("serve")
	require.Equal(t, "ready", next.line())
	require.Equal(t, 9, contained("second", "exit", "9").wait())
}

// An AppImage is mounted at another path each time it is started, so that two
// launches are two executables, with other variables.
func TestProcessAppImage(t *testing.T) {
	dir := testDir(t)
	mounted := func(role string, args ...string) *process {
		cmd := actor(t, "app "+role, args...)
		mount := t.TempDir()
		path := filepath.Join(mount, "AppRun")
		require.NoError(t, os.Symlink(cmd.Path, path))
		cmd.Path, cmd.Args[0] = path, path
		cmd.Env = append(cmd.Env, dirEnv+"="+dir, "APPDIR="+mount, "APPIMAGE="+path, "ARGV0="+path, "TMPDIR="+mount)
		return startCmd(t, cmd)
	}
	first := mounted("serve")
	require.Equal(t, "ready", first.line())
	second := mounted("second", "pid")
	require.Equal(t, strconv.Itoa(first.cmd.Process.Pid), second.line())
	require.Zero(t, second.wait())
}
