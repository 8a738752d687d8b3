//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ctrl-C stops the job of that caller and no other.
func TestInterrupt(t *testing.T) {
	p := newPlace(t)
	open := p.gate("gate")
	p.do("-slots", "2")
	one := p.launch(spool, "--", "sh", "-c", "echo up; exec sleep 60")
	one.says("up")
	other := p.launch(spool, "--", "sh", "-c", "echo up; read x <gate; exit 7")
	other.says("up")
	waiting := p.launch(spool, "-v", "--", "true")
	waiting.says("job 3")
	require.NoError(t, waiting.Process.Signal(os.Interrupt))
	r := waiting.wait()
	require.Equal(t, 130, r.code)
	require.Contains(t, r.errout, "spool: job 3: it was taken out of the queue\n")
	require.NoError(t, one.Process.Signal(os.Interrupt))
	require.Equal(t, result{130, "up\n", ""}, one.wait())
	open()
	require.Equal(t, result{7, "up\n", ""}, other.wait())

	handles := p.launch(spool, "--", "sh", "-c", "trap 'echo cleaned; exit 3' INT; echo up; while :; do sleep 0.05; done")
	handles.says("up")
	require.NoError(t, handles.Process.Signal(os.Interrupt))
	require.Equal(t, result{3, "up\ncleaned\n", ""}, handles.wait())
}

// A job that does not care about Ctrl-C: the second terminates, the third kills.
func TestInterruptAgain(t *testing.T) {
	p := newPlace(t)
	c := p.launch(spool, "--", "sh", "-c", "trap 'echo int' INT; trap 'echo term' TERM; echo up; while :; do sleep 0.05; done")
	for _, says := range []string{"up", "int", "term"} {
		c.says(says)
		require.NoError(t, c.Process.Signal(os.Interrupt))
	}
	r := c.wait()
	require.Equal(t, 137, r.code)
	require.Equal(t, "up\nint\nterm\n", r.out)
}

// The job of a caller that is killed ends, and so does one whose terminal goes
// away; one under nohup does not.
func TestCallerEnds(t *testing.T) {
	// Whoever runs the tests may ignore it, as nohup does, and what they start
	// would inherit that, were it not asked for here.
	heeded := make(chan os.Signal, 1)
	signal.Notify(heeded, syscall.SIGHUP)
	defer signal.Stop(heeded)
	p := newPlace(t)
	c := p.launch(spool, "--", "sh", "-c", "echo up; exec sleep 60")
	c.says("up")
	require.NoError(t, c.Process.Kill())
	p.is(1, done)
	r, err := p.store.load(1)
	require.NoError(t, err)
	require.Equal(t, 143, r.Code)

	c = p.launch(spool, "--", "sh", "-c", "echo up; exec sleep 60")
	c.says("up")
	require.NoError(t, c.Process.Signal(syscall.SIGHUP))
	require.Equal(t, 129, c.wait().code)

	open := p.gate("gate")
	c = p.launch("sh", "-c", "trap '' HUP; exec spool -- sh -c 'echo up; read x <gate; exit 6'")
	c.says("up")
	require.NoError(t, c.Process.Signal(syscall.SIGHUP))
	open()
	require.Equal(t, 6, c.wait().code)
}

// A caller whose terminal takes no output, and one that is stopped, hold up
// neither the queue nor the next job; their Ctrl-C arrives, and what a job has
// written is not lost.
func TestStoppedTerminal(t *testing.T) {
	p := newPlace(t)
	terminal, theirs, err := os.Pipe()
	require.NoError(t, err)
	defer terminal.Close()
	cmd := exec.Command(spool, "--", "sh", "-c", "echo $$ >pid; exec yes")
	cmd.Stdout = theirs
	stopped := p.begin(cmd)
	theirs.Close()
	job := readPID(t, filepath.Join(p.dir, "pid"))
	require.Equal(t, result{0, "next\n", ""}, p.do("--", "echo", "next"), "although there is one slot")
	require.NoError(t, stopped.Process.Signal(os.Interrupt))
	gone(t, job)
	out, err := io.ReadAll(terminal)
	require.NoError(t, err)
	require.Equal(t, 130, stopped.wait().code)
	require.Zero(t, len(bytes.Trim(out, "y\n")))
	require.Greater(t, len(out), 64<<10)

	// This one does not even run.
	c := p.launch(spool, "--", "sh", "-c", "echo up; exec head -c 3000000 /dev/zero")
	c.says("up")
	require.NoError(t, c.Process.Signal(syscall.SIGSTOP))
	require.Equal(t, result{0, "next\n", ""}, p.do("--", "echo", "next"))
	require.NoError(t, c.Process.Signal(syscall.SIGCONT))
	r := c.wait()
	require.Zero(t, r.code, r.errout)
	require.Len(t, r.out, 3000003)
}
