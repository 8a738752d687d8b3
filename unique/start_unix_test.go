//go:build unix && !aix && (!solaris || illumos)

package unique_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/unique"
)

func init() {
	roles["report"] = report
	roles["launch"] = launch
	roles["launch-and-hold"] = launchAndHold
}

// report writes what this process was born with into the named pipe args[0], and lives until args[1] can be read to its
// end.
func report(args []string) int {
	var b strings.Builder
	sid, _ := unix.Getsid(0)
	pgid, _ := unix.Getpgid(0)
	dir, _ := os.Getwd()
	fmt.Fprintf(&b, "pid %d\nsid %d\npgid %d\ndir %s\n", os.Getpid(), sid, pgid, dir)
	for fd := range 3 {
		var st, null unix.Stat_t
		if unix.Fstat(fd, &st) != nil || unix.Stat(os.DevNull, &null) != nil {
			return 1
		}
		fmt.Fprintf(&b, "null %d %v\n", fd, st.Rdev == null.Rdev && st.Mode&unix.S_IFMT == unix.S_IFCHR)
	}
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGUSR1} {
		if signal.Ignored(sig) {
			fmt.Fprintln(&b, "ignores", sig)
		}
	}
	if tty, err := os.Open("/dev/tty"); err == nil {
		fmt.Fprintln(&b, "terminal")
		_ = tty.Close()
	}
	for fd := 3; fd < 1024; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			fmt.Fprintln(&b, "inherited", fd)
		}
	}
	if err := os.WriteFile(args[0], []byte(b.String()), 0); err != nil {
		return 1
	}
	_, _ = os.ReadFile(args[1])
	return 0
}

// launch starts args detached as another actor and ends without looking after it.
func launch(args []string) int {
	self, err := os.Executable()
	if err != nil {
		return 1
	}
	cmd := exec.Command(self, args[1:]...)
	cmd.Env = append(os.Environ(), roleEnv+"="+args[0])
	before := signal.Ignored(syscall.SIGINT)
	pid, _, err := startDetached(cmd)
	if err != nil {
		return fail("%v", err)
	}
	if signal.Ignored(syscall.SIGINT) != before {
		return fail("the launcher itself ignores other signals than before")
	}
	fmt.Println(pid)
	return 0
}

// launchAndHold is the primary while it launches, and waits to be killed.
func launchAndHold(args []string) int {
	won, err := siteOf(args[0]).Elect(context.Background())
	if err != nil || won == nil {
		return fail("not elected: %v", err)
	}
	if code := launch(args[1:]); code != 0 {
		return code
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// pipes are the named pipes of a reporting actor.
type pipes struct{ report, life string }

func newPipes(t *testing.T) pipes {
	dir := t.TempDir()
	p := pipes{filepath.Join(dir, "report"), filepath.Join(dir, "life")}
	require.NoError(t, unix.Mkfifo(p.report, 0o600))
	require.NoError(t, unix.Mkfifo(p.life, 0o600))
	return p
}

// read waits for the report.
func (p pipes) read(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(p.report)
	require.NoError(t, err)
	said := make(map[string]string)
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		said[key] += value + ";"
	}
	return said
}

// end lets the actor go.
func (p pipes) end(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(p.life, nil, 0))
}

// leak opens a descriptor as a careless parent would have left it to us.
func leak(t *testing.T) int {
	t.Helper()
	fd, err := unix.Open(os.Args[0], unix.O_RDONLY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	require.NoError(t, err)
	require.Zero(t, flags&unix.FD_CLOEXEC)
	return fd
}

func TestDetachedProcess(t *testing.T) {
	fd := leak(t)
	p := newPipes(t)
	pid, died, err := startDetached(actor(t, "report", p.report, p.life))
	require.NoError(t, err)
	said := p.read(t)
	me := strconv.Itoa(pid) + ";"
	require.Equal(t, map[string]string{
		"pid": me, "sid": me, "pgid": me, "dir": "/;", "null": "0 true;1 true;2 true;",
	}, said)
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	require.NoError(t, err)
	require.Zero(t, flags&unix.FD_CLOEXEC, "what we pass on to our other children is as before")
	p.end(t)
	require.ErrorContains(t, <-died, "exit code 0")
}

// TestOrdinaryChildInherits shows that report sees what is inherited, or the test above could not fail.
func TestOrdinaryChildInherits(t *testing.T) {
	fd := leak(t)
	p := newPipes(t)
	cmd := actor(t, "report", p.report, p.life)
	require.NoError(t, cmd.Start())
	require.Contains(t, ";"+p.read(t)["inherited"], fmt.Sprintf(";%d;", fd))
	p.end(t)
	require.NoError(t, cmd.Wait())
}

// TestDetachingTogether: one start must not take back the precautions of another.
func TestDetachingTogether(t *testing.T) {
	leak(t)
	var wg sync.WaitGroup
	for range 4 {
		p := newPipes(t)
		cmd := actor(t, "report", p.report, p.life)
		wg.Go(func() {
			for range 3 {
				_, died, err := startDetached(cmd)
				if err != nil {
					t.Error(err)
					return
				}
				data, err := os.ReadFile(p.report)
				if err != nil || strings.Contains(string(data), "inherited") {
					t.Errorf("%v\n%s", err, data)
				}
				if err := os.WriteFile(p.life, nil, 0); err != nil {
					t.Error(err)
				}
				<-died
			}
		})
	}
	wg.Wait()
}

func TestDetachedOutlivesItsParent(t *testing.T) {
	p := newPipes(t)
	cmd := actor(t, "launch", "report", p.report, p.life)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	said := p.read(t)
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // as a terminal does to what is left of the group: nobody
	require.Equal(t, strings.TrimSpace(line)+";", said["pid"])
	require.Equal(t, said["pid"], said["sid"])
	require.Equal(t, "0 true;1 true;2 true;", said["null"])
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.True(t, alive(pid))
	p.end(t)
}

// TestDetachedHeedsSignals: also if the launcher was started with signals ignored, as scripts do with `tool &`.
func TestDetachedHeedsSignals(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("needs sh")
	}
	p := newPipes(t)
	// The way of the launcher itself, which shows that the signals were ignored.
	cmd := actor(t, "report", "-c", `trap "" INT HUP USR1; exec "$0" "$@"`, os.Args[0], p.report, p.life)
	cmd.Path = sh
	require.NoError(t, cmd.Start())
	require.Contains(t, p.read(t)["ignores"], "hangup;interrupt;")
	p.end(t)
	require.NoError(t, cmd.Wait())

	cmd = actor(t, "launch", "-c", `trap "" INT HUP USR1; exec "$0" "$@"`, os.Args[0], "report", p.report, p.life)
	cmd.Path = sh
	require.NoError(t, cmd.Start())
	require.NotContains(t, p.read(t), "ignores")
	p.end(t)
	require.NoError(t, cmd.Wait())
}

// TestDetachedDoesNotKeepThePlace: a process that was launched by a primary is none itself.
func TestDetachedDoesNotKeepThePlace(t *testing.T) {
	p, o := newPipes(t), privateOptions(t)
	s := openSite(t, "x", o)
	cmd := actor(t, "launch-and-hold", o.Dir, "report", p.report, p.life)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said := p.read(t)
	lose(t, s)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	in.Close()
	pid, err := strconv.Atoi(strings.TrimSuffix(said["pid"], ";"))
	require.NoError(t, err)
	require.True(t, alive(pid))
	require.NoError(t, win(t, s).Release())
	p.end(t)
}

func TestDeathBySignalIsReported(t *testing.T) {
	p := newPipes(t)
	pid, died, err := startDetached(actor(t, "report", p.report, p.life))
	require.NoError(t, err)
	p.read(t)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.ErrorContains(t, <-died, "killed by signal 9")
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "it must be reaped")
}

// TestForgottenChildren: the watch of a started process ends when it is told to, and the process goes on; when it ends,
// the next start reaps it.
func TestForgottenChildren(t *testing.T) {
	p := newPipes(t)
	d, err := unique.Detach(actor(t, "report", p.report, p.life))
	require.NoError(t, err)
	p.read(t)
	d.Forget()
	d.Forget()
	_, ok := <-d.Died()
	require.False(t, ok)
	require.True(t, alive(d.PID()))
	require.NoError(t, syscall.Kill(d.PID(), syscall.SIGKILL))
	waitForEnd(t, d.PID())
	require.True(t, alive(d.PID()), "a zombie: it ended, but was not reaped")

	_, died, err := startDetached(actor(t, "exit", "0"))
	require.NoError(t, err)
	require.False(t, alive(d.PID()))
	<-died
}

// waitForEnd waits until a child has ended, without reaping it.
func waitForEnd(t *testing.T, pid int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs waitid(2) with WNOWAIT")
	}
	for {
		err := waitNoReap(pid)
		if !errors.Is(err, unix.EINTR) {
			require.NoError(t, err)
			return
		}
	}
}
