//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// queuePID returns the process of the running queue.
func (p *place) queuePID() int {
	p.t.Helper()
	h, err := unique.Lookup(p.t.Context(), p.store.id(), nil)
	require.NoError(p.t, err)
	require.Positive(p.t, h.PID)
	return h.PID
}

// The queue is killed at any moment: everybody is told, the next launch works
// at once, and no job is run twice.
func TestQueueKilled(t *testing.T) {
	const callers = 6
	p := newPlace(t)
	detached := 0
	for round := range sized(3, 50) {
		require.Zero(t, p.do("-slots", "2").code)
		pid := p.queuePID()
		var all []*caller
		for i := range callers {
			job := fmt.Sprintf("echo %d/%d >>runs; sleep 0.0%d; exit %d", round, i, i, 10+i)
			all = append(all, p.launch(spool, "-v", "--", "sh", "-c", job))
		}
		enqueued := p.launch("sh", "-c", fmt.Sprintf(`for i in 1 2 3; do spool -d -- sh -c "echo %d/d$i >>runs"; done`, round))
		<-time.After(rand.N(80 * time.Millisecond))
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))

		began := time.Now()
		require.Equal(t, result{0, "next\n", ""}, p.do("-n", "--", "echo", "next"))
		t.Logf("round %d: the next launch took %v", round, time.Since(began))
		for i, c := range all {
			r := c.wait()
			switch {
			case r.code == 10+i: // before, or with the next queue
			case r.code == exitSpool:
				require.Contains(t, r.errout, fmt.Sprintf("spool: the queue, pid %d, died ", pid))
			default:
				require.Fail(t, "a caller without a clear answer", "%+v", r)
			}
		}
		r := enqueued.wait()
		for _, id := range strings.Fields(r.out) {
			detached++
			n, err := strconv.Atoi(id)
			require.NoError(t, err)
			code := p.do("wait", id).code
			rec, err := p.store.load(n)
			require.NoError(t, err)
			require.True(t, rec.over())
			switch rec.State {
			case done:
				require.Zero(t, code)
			case lost, cancelled:
				require.Equal(t, exitSpool, code)
			}
		}
	}
	count := map[string]int{}
	for _, tag := range runs(t, p) {
		count[tag]++
		require.Equal(t, 1, count[tag], "job %s was run twice", tag)
	}
	t.Logf("%d jobs ran, %d were enqueued with -d", len(count), detached)
	require.NotEmpty(t, count)
}

// What a killed queue leaves: its running job ends, those that wait are told,
// and what was enqueued is run by the next queue.
func TestQueueKilledLeaves(t *testing.T) {
	p := newPlace(t)
	p.gate("gate")
	first := p.launch(spool, "--", "sh", "-c", "echo $$ >pid; read x <gate")
	job := readPID(t, p.dir+"/pid")
	second := p.launch(spool, "--", "echo", "second")
	p.is(2, queued)
	p.do("-d", "--", "echo", "third")
	p.do("-d", "--", "echo", "fourth")
	pid := p.queuePID()
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	died := fmt.Sprintf("spool: the queue, pid %d, died ", pid)
	require.Equal(t, result{exitSpool, "", died + "while job 1 was running: how far it came is unknown, and it is not run again\n"}, first.wait())
	require.Equal(t, result{exitSpool, "", died + "before job 2 was started, so it never will be\n"}, second.wait())
	gone(t, job)
	list := p.do("list").out
	require.Regexp(t, `1 +lost .*\n2 +cancelled .*\n3 +queued .*\n4 +queued`, list)
	require.Equal(t, exitSpool, p.do("wait", "1").code)
	require.Equal(t, exitSpool, p.do("wait", "2").code)
	require.Zero(t, p.do("kill", "4").code)
	require.Zero(t, p.do("wait", "3").code, "starts the next queue")
	require.Equal(t, "third\n", p.do("cat", "3").out)
	require.Regexp(t, `1 +lost .*\n2 +cancelled .*\n3 +done +0 .*\n4 +cancelled`, p.do("list").out)
}

// A queue process that is stopped holds nobody up, and what was given up is not
// run when it goes on.
func TestQueueStops(t *testing.T) {
	p := newPlace(t)
	p.do("--", "true")
	pid := p.queuePID()
	stop(t, pid)
	r := p.do("--", "touch", "x")
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	require.Equal(t, exitSpool, r.code)
	require.Contains(t, r.errout, fmt.Sprintf("spool: the queue, pid %d, does not answer, so nothing was handed over; ", pid))
	require.Zero(t, p.do("--", "true").code)
	require.NoFileExists(t, p.dir+"/x")

	// With a job under way, there is a way out, too.
	c := p.launch(spool, "--", "sh", "-c", "echo $$ >pid; echo up; exec sleep 60")
	c.says("up")
	stop(t, pid)
	until(t, "the end of a caller that is interrupted again and again", func() bool {
		c.Process.Signal(os.Interrupt)
		select {
		case <-c.ended:
			return true
		default:
			return false
		}
	})
	require.Equal(t, result{130, "up\n", "spool: job 3 is left to the queue, which does not answer\n"}, c.wait())
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	gone(t, readPID(t, p.dir+"/pid"))
}

// stop stops a process, and returns when no thread of it runs any more.
func stop(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	until(t, "a stopped process", func() bool {
		threads, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "stat"))
		require.NoError(t, err)
		for _, path := range threads {
			stat, err := os.ReadFile(path)
			if err == nil && !strings.Contains(string(stat), ") T ") {
				return false
			}
		}
		return true
	})
}
