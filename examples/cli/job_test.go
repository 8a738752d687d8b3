//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A testJob is a job without a queue.
type testJob struct {
	*job
	out, errout bytes.Buffer
	lent        atomic.Int32 // times that the slot was lent
	back        atomic.Int32
	onLend      func()
}

func newTestJob(t *testing.T, args ...string) *testJob {
	name := os.Args[0]
	t.Cleanup(func() { os.Args[0] = name })
	os.Args[0] = spool // by which the job starts its supervisor
	j := &testJob{job: newJob(record{ID: 1, State: running}), onLend: func() {}}
	j.spec = &spec{Args: raw(args), Env: raw(os.Environ()), Dir: []byte(t.TempDir()), Umask: 0o22}
	j.stdin, j.stdout, j.stderr = strings.NewReader(""), &j.out, &j.errout
	return j
}

func (j *testJob) run() (int, error) {
	return j.execute(func(_ *job, n int) {
		if n > 0 {
			j.lent.Add(1)
			j.onLend()
		} else {
			j.back.Add(1)
		}
	})
}

func TestJobExitCodes(t *testing.T) {
	script := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o600))
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"true"}, 0, ""},
		{[]string{"sh", "-c", "exit 255"}, 255, ""},
		{[]string{"sh", "-c", "kill -TERM $$"}, 143, ""},
		{[]string{"sh", "-c", "kill -KILL $$"}, 137, ""},
		{[]string{"no-such-command-anywhere"}, exitNone, "no-such-command-anywhere"},
		{[]string{"/no/such/file"}, exitNone, "/no/such/file"},
		{[]string{script}, exitExec, script},
	} {
		j := newTestJob(t, c.args...)
		code, err := j.run()
		require.NoError(t, err)
		require.Equal(t, c.code, code, c.args)
		require.Contains(t, j.errout.String(), c.says)
	}
}

func TestJobSurroundings(t *testing.T) {
	j := newTestJob(t, "./here", "a\xff\n|", "")
	dir := string(j.spec.Dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "here"), []byte("#!/bin/sh\npwd -P; umask; echo \"$X\" >&2; printf '%s,' \"$@\"\n"), 0o700))
	dir, err := filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	j.spec.Umask = 0o27
	j.spec.Env = raw([]string{"PATH=/bin:/usr/bin", "X=1\xfe"})
	code, err := j.run()
	require.NoError(t, err)
	require.Zero(t, code)
	require.Equal(t, dir+"\n0027\na\xff\n|,,", j.out.String())
	require.Equal(t, "1\xfe\n", j.errout.String())

	j = newTestJob(t, "true")
	j.spec.Dir = []byte(filepath.Join(dir, "gone"))
	_, err = j.run()
	require.ErrorContains(t, err, "gone")
}

func TestJobStreams(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)
	j := newTestJob(t, "sh", "-c", "tee /dev/stderr")
	j.stdin = bytes.NewReader(big)
	code, err := j.run()
	require.NoError(t, err)
	require.Zero(t, code)
	require.True(t, bytes.Equal(big, j.out.Bytes()))
	require.True(t, bytes.Equal(big, j.errout.Bytes()))
	require.EqualValues(t, 2*len(big), j.outputSize())
}

// A reader that must not be read.
type untouchable struct{ read atomic.Bool }

func (u *untouchable) Read([]byte) (int, error) {
	u.read.Store(true)
	return 0, io.EOF
}

func TestJobLeavesInput(t *testing.T) {
	for range sized(5, 50) {
		input := new(untouchable)
		j := newTestJob(t, "true")
		j.stdin = input
		_, err := j.run()
		require.NoError(t, err)
		require.False(t, input.read.Load())
	}
}

// A job whose output nobody wants ends as in a pipeline.
func TestJobBrokenPipe(t *testing.T) {
	j := newTestJob(t, "yes")
	j.stdout = brokenPipe{}
	code, err := j.run()
	require.NoError(t, err)
	require.Equal(t, 128+int(syscall.SIGPIPE), code)
}

// A job is over when its first process is; what the others go on to write is
// not waited for, what was written is delivered.
func TestJobLeavesProcess(t *testing.T) {
	j := newTestJob(t, "sh", "-c", `yes | head -c 300000; sleep 60 & echo $! >pid; exit 4`)
	began := time.Now()
	code, err := j.run()
	require.NoError(t, err)
	require.Equal(t, 4, code)
	require.Equal(t, 300000, j.out.Len())
	require.Less(t, time.Since(began), patience)
	left := readPID(t, filepath.Join(string(j.spec.Dir), "pid"))
	require.NoError(t, syscall.Kill(left, syscall.SIGKILL), "it lives")
}

// A writer that takes nothing until it is let.
type stuck struct {
	let chan struct{}
	bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.let
	return s.Buffer.Write(p)
}

// Output that nobody takes lends the job's slot, and is complete in the end,
// however long after the end of the job's process it is taken.
func TestJobStalls(t *testing.T) {
	out := &stuck{let: make(chan struct{})}
	j := newTestJob(t, "sh", "-c", "yes | head -c 60000")
	j.stdout = out
	j.onLend = sync.OnceFunc(func() { close(out.let) })
	code, err := j.run()
	require.NoError(t, err)
	require.Zero(t, code)
	require.Equal(t, 60000, out.Len())
	require.EqualValues(t, 1, j.lent.Load())
	require.EqualValues(t, 1, j.back.Load())
}

// Signals reach all of a job.
func TestJobSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL} {
		j := newTestJob(t, "sh", "-c", "sh -c 'echo $$ >pid; echo; exec sleep 60'; true")
		r, w := io.Pipe()
		j.stdout = w
		go func() {
			r.Read(make([]byte, 1))
			j.signals <- sig
			io.Copy(io.Discard, r)
		}()
		code, err := j.run()
		w.Close()
		require.NoError(t, err)
		require.Equal(t, 128+int(sig), code)
		gone(t, readPID(t, filepath.Join(string(j.spec.Dir), "pid")))
	}
}

// A job that is to end gets SIGTERM, even one that is stopped, and some time
// later SIGKILL.
func TestJobEnds(t *testing.T) {
	for script, want := range map[string]int{
		"echo; exec sleep 60": 143,
		"trap 'exit 9' TERM; echo; while :; do sleep 1; done": 9,
		"echo; kill -STOP $$; sleep 60":                       143,
		"trap '' TERM; echo; while :; do sleep 1; done":       137,
	} {
		if want == 137 && !full() {
			continue // it takes killTime
		}
		j := newTestJob(t, "sh", "-c", script)
		r, w := io.Pipe()
		j.stdout = w
		go func() {
			r.Read(make([]byte, 1))
			j.end()
			j.end()
			io.Copy(io.Discard, r)
		}()
		code, err := j.run()
		w.Close()
		require.NoError(t, err)
		require.Equal(t, want, code, script)
	}
}

func TestJobCannotStart(t *testing.T) {
	j := newTestJob(t, "true\x00")
	_, err := j.run()
	require.Error(t, err)
}

func readPID(t *testing.T, path string) int {
	t.Helper()
	var pid int
	until(t, "a pid in "+path, func() bool {
		b, _ := os.ReadFile(path)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		return bytes.HasSuffix(b, []byte("\n"))
	})
	require.Positive(t, pid)
	return pid
}

// gone waits until process pid has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	until(t, "the end of a process", func() bool {
		err := syscall.Kill(pid, 0)
		return err == syscall.ESRCH || zombie(pid)
	})
}

// zombie reports whether process pid has ended and only waits for its parent,
// which for an orphan may take as long as the system's init likes.
func zombie(pid int) bool {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(rest, "Z")
}
