//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// gate makes a FIFO that a job waits at with "read x <NAME"; open lets one job
// pass, and waits until it is there.
func (p *place) gate(name string) (open func()) {
	path := filepath.Join(p.dir, name)
	require.NoError(p.t, exec.Command("mkfifo", path).Run()) // package syscall has it on some systems only
	return func() {
		p.t.Helper()
		opened := make(chan error, 1)
		go func() {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				err = f.Close()
			}
			opened <- err
		}()
		select {
		case err := <-opened:
			require.NoError(p.t, err)
		case <-time.After(patience):
			require.Fail(p.t, "no job came to the gate "+name)
		}
	}
}

func TestRun(t *testing.T) {
	p := newPlace(t)
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, "x"), []byte("content\n"), 0o600))
	r := p.do("--", "sh", "-c", "cat x; echo err >&2; exit 42")
	require.Equal(t, result{42, "content\n", "err\n"}, r)
	r = p.sh("umask 027; X=$(printf 'a\\nb\\377') spool -- sh -c 'umask; printf \"$X\"'")
	require.Equal(t, result{0, "0027\na\nb\xff", ""}, r)
	r = p.do("--", "printf", "%s,", "a\nb", "", "|", "\xff\xfe", "é", "--", "-h")
	require.Equal(t, result{0, "a\nb,,|,\xff\xfe,é,--,-h,", ""}, r)
	require.Equal(t, 143, p.do("--", "sh", "-c", "kill -TERM $$").code)
	r = p.do("--", "no-such-command")
	require.Equal(t, exitNone, r.code)
	require.Contains(t, r.errout, `spool: exec: "no-such-command": executable file not found`)
	r = p.sh("mkdir gone; cd gone; rmdir ../gone; spool -- true")
	require.Equal(t, exitSpool, r.code)
	require.Regexp(t, "^spool: the job was not run: .*working directory .* deleted\n$", r.errout)
	r = p.sh("mkdir -p a/b; cd a/b; spool -- pwd -P")
	require.True(t, strings.HasSuffix(r.out, "/a/b\n"), r)
}

func TestVerbose(t *testing.T) {
	p := newPlace(t)
	r := p.do("-v", "--", "true")
	m := regexp.MustCompile(`^spool: started queue, pid (\d+)\nspool: handed to pid (\d+), job 1\n$`).FindStringSubmatch(r.errout)
	require.NotNil(t, m, r.errout)
	require.Equal(t, m[1], m[2])
	require.Equal(t, result{0, "", "spool: handed to pid " + m[1] + ", job 2\n"}, p.do("-v", "--", "true"))
	require.Equal(t, result{0, "3\n", "spool: handed to pid " + m[1] + ", job 3\n"}, p.do("-v", "-d", "--", "true"))
}

// The environment of the launch that started the queue is not that of later
// jobs.
func TestEnvironmentIsTheCallers(t *testing.T) {
	p := newPlace(t)
	require.Equal(t, "1\n", p.sh("ONLY=1 spool -- sh -c 'echo $ONLY'").out)
	require.Equal(t, "2\n", p.sh("OTHER=2 spool -- sh -c 'echo $OTHER $ONLY'").out)
	require.Equal(t, "t\n", p.sh("XDG_ACTIVATION_TOKEN=t spool -- sh -c 'echo $XDG_ACTIVATION_TOKEN'").out)
}

func TestInput(t *testing.T) {
	p := newPlace(t)
	require.Equal(t, "8\n", p.doIn("a\nb\nc\nd\n", "--", "sh", "-c", "wc -c | tr -d ' '").out)
	for range sized(3, 30) {
		require.Equal(t, "a\nb\n", p.sh(`printf 'a\nb\n' | (spool -- true; cat)`).out)
	}
	require.Equal(t, "x\ny\nz\n", p.sh(`printf 'x\ny\nz\n' | while read l; do spool -- echo $l; done`).out)
	open := p.gate("gate")
	c := p.launch("sh", "-c", `printf 'a\nb\n' | (spool -n -- sh -c 'read x <gate; cat'; cat)`)
	open()
	require.Equal(t, "a\nb\n", c.wait().out)
}

func TestBinary(t *testing.T) {
	p := newPlace(t)
	data := make([]byte, sized(1<<20, 8<<20))
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	require.NoError(t, os.WriteFile(filepath.Join(p.dir, "data"), data, 0o600))
	r := p.doIn(string(data), "--", "cat")
	require.True(t, bytes.Equal(data, []byte(r.out)))
	r = p.do("--", "sh", "-c", "cat data & cat data >&2; wait")
	require.True(t, bytes.Equal(data, []byte(r.out)))
	require.True(t, bytes.Equal(data, []byte(r.errout)))
}

func TestBrokenPipe(t *testing.T) {
	p := newPlace(t)
	require.Equal(t, result{0, "y\n", ""}, p.sh("spool -- yes | head -1"))
	p.is(1, done)
	r, err := p.store.load(1)
	require.NoError(t, err)
	require.Equal(t, 128+int(syscall.SIGPIPE), r.Code)
}

func TestDetached(t *testing.T) {
	p := newPlace(t)
	open := p.gate("gate")
	require.Equal(t, result{0, "1\n", ""}, p.do("-d", "--", "sh", "-c", "echo one; read x <gate; echo two >&2; exit 5"))
	require.Equal(t, result{0, "2\n", ""}, p.do("-d", "--", "false"))
	p.is(1, running)
	follow := p.launch(spool, "cat", "-f", "1")
	waiting := p.launch(spool, "wait", "2")
	until(t, "output", func() bool { return p.do("cat", "1").out == "one\n" })
	require.Equal(t, result{0, "", ""}, p.do("cat", "2"))
	open()
	require.Equal(t, result{5, "", ""}, p.do("wait", "1"))
	require.Equal(t, result{1, "", ""}, waiting.wait())
	require.Equal(t, result{0, "one\ntwo\n", ""}, follow.wait())
	for _, name := range []string{"1.json", "1.out", "next"} {
		info, err := os.Stat(filepath.Join(p.store.dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), name)
	}

	// All of it is there without the queue, and ids go on.
	require.Equal(t, result{0, "", ""}, p.do("stop"))
	require.Equal(t, result{5, "", ""}, p.do("wait", "1"))
	require.Equal(t, result{0, "one\ntwo\n", ""}, p.do("cat", "1"))
	list := p.do("list").out
	require.Regexp(t, `^ID +STATE +CODE +QUEUED +TIME +COMMAND\n1 +done +5 .* sh -c 'echo one; [^\n]*\n2 +done +1 .* false\n$`, list)
	var records []record
	require.NoError(t, json.Unmarshal([]byte(p.do("list", "-json").out), &records))
	require.Len(t, records, 2)
	require.Equal(t, 5, records[0].Code)
	_, err := unique.Lookup(t.Context(), p.store.id(), nil)
	require.ErrorIs(t, err, unique.ErrNoPrimary, "no queue was started for that")
	require.Equal(t, "3\n", p.do("-d", "--", "true").out)

	r := p.do("cat", "9")
	require.Equal(t, exitFailed, r.code)
	require.Equal(t, "spool: no job 9 on record (file does not exist)\n", r.errout)
	p.do("--", "true")
	r = p.do("cat", "4")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.errout, "job 4 was run without -d")
	require.Equal(t, exitSpool, p.do("wait", "9").code)
}

func TestSlotsAndOrder(t *testing.T) {
	p := newPlace(t)
	open := p.gate("gate")
	p.do("-d", "--", "sh", "-c", "read x <gate")
	for i := range 5 {
		p.do("-d", "--", "sh", "-c", "echo "+strconv.Itoa(i)+" >>order")
	}
	p.is(1, running)
	p.is(2, queued)
	open()
	require.Zero(t, p.do("wait", "6").code)
	order, err := os.ReadFile(filepath.Join(p.dir, "order"))
	require.NoError(t, err)
	require.Equal(t, "0\n1\n2\n3\n4\n", string(order))

	p.do("-d", "--", "sh", "-c", "read x <gate")
	p.do("-d", "--", "sh", "-c", "read x <gate")
	p.is(7, running)
	p.is(8, queued)
	require.Equal(t, result{0, "", ""}, p.do("-slots", "2"))
	p.is(8, running)
	p.do("kill", "7")
	p.do("kill", "8")
}

// A foreground job waits for its turn, and kill and stop end what they should.
func TestKill(t *testing.T) {
	p := newPlace(t)
	p.gate("gate")
	first := p.launch(spool, "--", "sh", "-c", "read x <gate")
	p.is(1, running)
	second := p.launch(spool, "--", "echo", "second")
	p.is(2, queued)
	p.do("-d", "--", "touch", "third")
	require.Equal(t, result{0, "", ""}, p.do("kill", "3"))
	require.Equal(t, result{143, "", "spool: job 3: it was taken out of the queue by spool kill\n"}, p.do("wait", "3"))
	require.Equal(t, result{0, "", ""}, p.do("kill", "1"))
	require.Equal(t, result{143, "", "spool: job 1: it was ended by spool kill\n"}, first.wait())
	require.Equal(t, result{0, "second\n", ""}, second.wait())
	r := p.do("kill", "1")
	require.Equal(t, result{exitFailed, "", "spool: job 1 is over: done, code 143\n"}, r)
	require.Equal(t, exitFailed, p.do("kill", "77").code)
	require.NoFileExists(t, filepath.Join(p.dir, "third"))
}

// What was not started when the queue is stopped: the next queue runs it if it
// was enqueued with -d, and its caller is told otherwise.
func TestStop(t *testing.T) {
	p := newPlace(t)
	p.gate("gate")
	first := p.launch(spool, "--", "sh", "-c", "read x <gate")
	p.is(1, running)
	second := p.launch(spool, "--", "touch", "second")
	p.is(2, queued)
	p.do("-d", "--", "sh", "-c", "echo third >>third")
	p.do("-d", "--", "touch", "fourth")
	waiting := p.launch("env", "SOLOMQ_DEBUG=1", spool, "wait", "3")
	waiting.says("said go")
	require.Zero(t, p.do("stop").code)
	require.Equal(t, result{143, "", "spool: job 1: it was ended by spool stop\n"}, first.wait())
	require.Equal(t, result{exitSpool, "", "spool: job 2: it was not run: the queue was stopped\n"}, second.wait())
	r := waiting.wait()
	require.Equal(t, exitSpool, r.code)
	require.Contains(t, r.errout, "spool: job 3: the queue was stopped before it was started; it stays enqueued\n")
	require.Equal(t, result{0, "", "spool: no queue is running\n"}, p.do("stop"))
	require.Regexp(t, `3 +queued .*\n4 +queued`, p.do("list").out)

	require.Zero(t, p.do("kill", "4").code)
	require.Zero(t, p.do("wait", "3").code)
	require.Equal(t, 143, p.do("wait", "4").code)
	third, err := os.ReadFile(filepath.Join(p.dir, "third"))
	require.NoError(t, err)
	require.Equal(t, "third\n", string(third))
	require.NoFileExists(t, filepath.Join(p.dir, "second"))
	require.NoFileExists(t, filepath.Join(p.dir, "fourth"))
}

func TestIdle(t *testing.T) {
	p := newPlace(t)
	r := p.do("-v", "-idle", "0s", "--", "true")
	var pid int
	_, err := fmt.Sscanf(r.errout, "spool: started queue, pid %d", &pid)
	require.NoError(t, err, r.errout)
	gone(t, pid)
	require.Contains(t, p.do("-v", "--", "true").errout, "job 2\n")

	// A -d job without a caller keeps the queue.
	open := p.gate("gate")
	p.do("-idle", "0s", "-d", "--", "sh", "-c", "read x <gate; echo >ran")
	open()
	require.Zero(t, p.do("wait", "3").code)
	require.FileExists(t, filepath.Join(p.dir, "ran"))
}

// The queue outlives its program file, as "go run" deletes what it built, and
// so does a launch.
func TestDeletedProgram(t *testing.T) {
	p := newPlace(t)
	temporary := filepath.Join(p.dir, "build", "spool")
	require.NoError(t, os.Mkdir(filepath.Dir(temporary), 0o700))
	require.NoError(t, copyFile(temporary, spool))
	r := p.launch(temporary, "-v", "--", "true").wait()
	require.Contains(t, r.errout, "started queue")
	require.NoError(t, os.RemoveAll(filepath.Dir(temporary)))
	r = p.do("-v", "--", "sh", "-c", "umask; exit 3")
	require.Equal(t, 3, r.code)
	require.NotContains(t, r.errout, "started queue")
	require.Zero(t, p.do("stop").code)

	if runtime.GOOS != "linux" {
		return // a process that was not the queue has no copy of its program
	}
	require.NoError(t, os.Mkdir(filepath.Dir(temporary), 0o700))
	require.NoError(t, copyFile(temporary, spool))
	program, err := os.Open(temporary)
	require.NoError(t, err)
	defer program.Close()
	require.NoError(t, os.RemoveAll(filepath.Dir(temporary)))
	r = p.begin(&exec.Cmd{
		Path: "/proc/self/fd/3", Args: []string{"spool", "-v", "--", "true"}, ExtraFiles: []*os.File{program},
	}).wait()
	require.Zero(t, r.code, r.errout)
	require.Contains(t, r.errout, "started queue")
}

// Without a home, the state is in the user's runtime directory.
func TestNoHome(t *testing.T) {
	p := newPlace(t)
	r := p.sh("unset HOME XDG_STATE_HOME; spool -v -- true && spool -- sh -c 'exit 4'; echo $?; spool list; spool stop")
	require.Contains(t, r.errout, "started queue")
	require.Regexp(t, `^4\nID .*\n1 +done +0 .*\n2 +done +4 `, r.out)
}

// Queues of different names know nothing of each other.
func TestNames(t *testing.T) {
	p := newPlace(t)
	p.gate("gate")
	p.do("-d", "--", "sh", "-c", "read x <gate")
	require.Equal(t, result{0, "1\n", ""}, p.do("-d", "-name", "b", "--", "echo", "b"))
	require.Zero(t, p.do("-name", "b", "wait", "1").code)
	require.Equal(t, "b\n", p.do("cat", "-name", "b", "1").out)
	require.Zero(t, p.do("stop", "-name=b").code)
	require.NotContains(t, p.do("list", "-name=b").out, "gate")
}

func TestHelpAndUsage(t *testing.T) {
	p := newPlace(t)
	r := p.do("-h")
	require.Equal(t, result{0, help, ""}, r)
	for verb := range verbs {
		require.Contains(t, help, "\n    spool "+verb)
	}
	for _, args := range [][]string{{}, {"--"}, {"-x"}, {"make"}, {"kill"}, {"wait", "x"}} {
		r := p.do(args...)
		require.Equal(t, exitUsage, r.code)
		require.Empty(t, r.out)
		require.Regexp(t, `^spool: [^\n]+ \(spool -h explains\)\n$`, r.errout)
	}
}

func TestRetention(t *testing.T) {
	if !full() {
		t.Skip("400 jobs only with SOLOMQ_TEST=full")
	}
	p := newPlace(t)
	p.sh(`for i in $(seq 205); do spool -d -- echo $i; spool -- true; done`)
	p.is(410, done)
	var records []record
	require.NoError(t, json.Unmarshal([]byte(p.do("list", "-json").out), &records))
	require.Len(t, records, 2*keep)
	require.Equal(t, 11, records[0].ID)
	require.Equal(t, "205\n", p.do("cat", "409").out)
	require.Equal(t, exitFailed, p.do("cat", "9").code)
	files, err := os.ReadDir(p.store.dir)
	require.NoError(t, err)
	require.Len(t, files, 2*keep+keep+2, "records, outputs, next and log")
}
