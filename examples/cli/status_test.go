//go:build unix

package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Status and where tell who the queue is and where it is found; asking starts
// none.
func TestStatusAndWhere(t *testing.T) {
	p := newPlace(t)
	r := p.do("status")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.out, "no queue is running")
	r = p.do("where")
	require.Zero(t, r.code)
	require.Contains(t, r.out, "lock ")
	require.Contains(t, r.out, "state ")
	require.Equal(t, exitFailed, p.do("status").code, "where has started one")
	p.do("-idle", "1m")
	r = p.do("status")
	require.Zero(t, r.code)
	require.True(t, strings.HasPrefix(r.out, "pid "+strconv.Itoa(p.queuePID())+", serving, for "), r.out)
	require.Equal(t, exitUsage, p.do("status", "x").code)
}

// Who waits is told how many are before, as they get fewer.
func TestPosition(t *testing.T) {
	p := newPlace(t)
	open := p.gate("gate")
	first := p.launch(spool, "--", "sh", "-c", "echo up; read x <gate; exit 0")
	first.says("up")
	second := p.launch(spool, "-v", "--", "sh", "-c", "read x <gate; exit 0")
	second.says("job 2 waits, 1 before it")
	third := p.launch(spool, "-v", "--", "true")
	third.says("job 3 waits, 2 before it")
	open()
	require.Zero(t, first.wait().code)
	third.says("job 3 waits, 1 before it")
	open()
	require.Zero(t, second.wait().code)
	require.Zero(t, third.wait().code)
}

// A change of the terminal's size reaches the job, and ends nothing.
func TestResize(t *testing.T) {
	p := newPlace(t)
	c := p.launch(spool, "--", "sh", "-c", "trap 'echo resized' WINCH; echo up; while :; do sleep 0.05; done")
	c.says("up")
	for n := 1; n <= 4; n++ { // one more than it takes to kill a job
		require.NoError(t, c.Process.Signal(syscall.SIGWINCH))
		until(t, "resized", func() bool { return strings.Count(c.out.String(), "resized") == n })
	}
	require.NoError(t, c.Process.Signal(os.Interrupt))
	require.Equal(t, 130, c.wait().code)
}
