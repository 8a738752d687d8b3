package unique_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func init() { roles["app terminal"] = playTerminal }

// playTerminal is a secondary that hands over what its terminal and its user do.
func playTerminal([]string) int {
	app, err := unique.Acquire(context.Background(), testID, roleOptions())
	if err != nil {
		return exitWith(err)
	}
	code, err := app.Forward(context.Background(), unique.Current().WithStdio().WithSignals(unique.TerminalSignals()...))
	if err != nil {
		return exitWith(err)
	}
	return code
}

// openTerminal opens a pseudo terminal: its own end, and what a program has as
// its streams.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { master.Close() })
	conn, err := master.SyscallConn()
	require.NoError(t, err)
	var name string
	require.NoError(t, conn.Control(func(fd uintptr) {
		err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		n, e := unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		if err == nil {
			err = e
		}
		name = fmt.Sprintf("/dev/pts/%d", n)
	}))
	require.NoError(t, err)
	slave, err = os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

func setSize(t *testing.T, f *os.File, rows, columns uint16) {
	t.Helper()
	conn, err := f.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, conn.Control(func(fd uintptr) {
		err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
	}))
	require.NoError(t, err)
}

// The handler sees the caller's terminal, its changes of size, and that its user
// suspends and resumes it.
func TestProcessTerminal(t *testing.T) {
	opts := uniquetest.Options(t)
	said := make(chan string)
	primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		say := func(what string) {
			rows, columns := inv.Terminal.Size()
			said <- fmt.Sprintf("%s %dx%d", what, rows, columns)
		}
		say(fmt.Sprint(inv.Terminal.Stdin, inv.Terminal.Stdout, inv.Terminal.Stderr, " ", inv.Terminal.Term))
		for {
			sig := (<-inv.Signals()).(syscall.Signal)
			say(unix.SignalName(sig))
			if sig == syscall.SIGHUP {
				return 3
			}
		}
	})
	master, slave := openTerminal(t)
	setSize(t, master, 24, 80)
	second := actor(t, "app terminal")
	second.Env = append(second.Env, dirEnv+"="+opts.Dir, "TERM=vt220")
	second.Stdin, second.Stdout = slave, slave
	second.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	var stderr strings.Builder
	second.Stderr = &stderr // not a terminal
	require.NoError(t, second.Start())
	require.Equal(t, "true true false vt220 24x80", <-said)
	setSize(t, master, 50, 132) // its kernel says SIGWINCH
	require.Equal(t, "SIGWINCH 50x132", <-said)

	require.NoError(t, second.Process.Signal(syscall.SIGTSTP))
	require.Equal(t, "SIGTSTP 50x132", <-said)
	awaitStopped(t, second.Process.Pid)
	setSize(t, master, 30, 100) // while it cannot know
	require.NoError(t, second.Process.Signal(syscall.SIGCONT))
	got := map[string]bool{<-said: true, <-said: true}
	require.Equal(t, map[string]bool{"SIGCONT 30x100": true, "SIGWINCH 30x100": true}, got)
	require.NoError(t, second.Process.Signal(syscall.SIGHUP))
	require.Equal(t, "SIGHUP 30x100", <-said)
	var exit *exec.ExitError
	require.ErrorAs(t, second.Wait(), &exit)
	require.Equal(t, 3, exit.ExitCode(), stderr.String())
}

// Streams that are no terminals make none.
func TestNoTerminal(t *testing.T) {
	h := func(_ context.Context, inv *unique.Invocation) int {
		if inv.Terminal != nil {
			return 1
		}
		return 0
	}
	both(t, h, func(t *testing.T, app *unique.Instance) {
		code, err := app.Forward(within(t), &unique.Invocation{Env: []string{"TERM=x"}})
		require.NoError(t, err)
		require.Zero(t, code)
	})
	rows, columns := unique.NewTerminal(3, 4).Size()
	require.Equal(t, []int{3, 4}, []int{rows, columns})
}
