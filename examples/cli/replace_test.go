//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// A new process becomes the queue: what runs ends in the old one, what waits and
// what comes in between is run by the new one, and no launch is refused.
func TestReplace(t *testing.T) {
	p := newPlace(t)
	require.Equal(t, "spool: no queue is running; the next job starts one\n", p.do("-replace").errout)
	release, finish := p.gate("a"), p.gate("b")
	require.Zero(t, p.do("-slots", "2", "-idle", "1m").code)
	old := p.queuePID()
	stays := p.launch(spool, "--", "sh", "-c", "echo up; read x <a; echo still")
	stays.says("up")
	require.Equal(t, "2\n", p.do("-d", "--", "sh", "-c", "read x <b; exit 0").out)
	p.is(2, running)
	require.Equal(t, "3\n", p.do("-d", "--", "echo", "three").out)

	replacing := p.launch(spool, "-v", "-replace")
	replacing.says("0 of 1 running jobs")
	again := p.do("-replace")
	require.Equal(t, exitFailed, again.code)
	require.Contains(t, again.errout, "is being replaced already")
	require.Equal(t, "4\n", p.do("-d", "--", "echo", "four").out, "meanwhile")
	waits := p.launch(spool, "wait", "3")
	finish()
	p.is(2, done)
	during := p.launch(spool, "--", "echo", "during") // in the old one or the new one
	release()
	require.Zero(t, stays.wait().code)
	r := replacing.wait()
	require.Zero(t, r.code, r.errout)
	require.Contains(t, r.errout, "the queue is pid "+strconv.Itoa(p.queuePID())+" now")
	require.NotEqual(t, old, p.queuePID())
	require.Equal(t, result{0, "during\n", ""}, during.wait())
	require.Equal(t, result{0, "", ""}, waits.wait())
	require.Zero(t, p.do("wait", "4").code)
	require.Equal(t, "three\n", p.do("cat", "3").out)
	require.Equal(t, "four\n", p.do("cat", "4").out)

	// Its settings are those of the old one: two jobs run side by side.
	p.runsTwoAtOnce()
}

// runsTwoAtOnce checks that two jobs run side by side.
func (p *place) runsTwoAtOnce() {
	p.t.Helper()
	openOne, openTwo := p.gate("one"), p.gate("two")
	one := p.launch(spool, "--", "sh", "-c", "echo up; read x <one; exit 0")
	two := p.launch(spool, "--", "sh", "-c", "echo up; read x <two; exit 0")
	one.says("up")
	two.says("up")
	openOne()
	openTwo()
	require.Zero(p.t, one.wait().code)
	require.Zero(p.t, two.wait().code)
}

// A queue that ends as soon as it has nothing to do waits for its successor all the
// same, which runs the jobs that are left.
func TestReplaceOfAQueueThatDoesNotStay(t *testing.T) {
	for range 3 {
		p := newPlace(t)
		finish := p.gate("b")
		require.Equal(t, "1\n", p.do("-idle", "0", "-d", "--", "sh", "-c", "read x <b; exit 0").out)
		p.is(1, running)
		require.Equal(t, "2\n", p.do("-d", "--", "echo", "two").out)
		replacing := p.launch(spool, "-v", "-replace")
		replacing.says("0 of 1 running jobs")
		finish()
		require.Zero(t, p.do("wait", "2").code)
		require.Zero(t, replacing.wait().code)
		require.Equal(t, "two\n", p.do("cat", "2").out)
	}
}

// What is set while the new queue comes up is set there, too.
func TestReplaceKeepsWhatIsSetMeanwhile(t *testing.T) {
	p := newPlace(t)
	comeUp := p.gate("up")
	require.Zero(t, p.do("-slots", "1", "-idle", "1m").code)
	old := p.queuePID()
	slow := filepath.Join(p.dir, "slow")
	require.NoError(t, os.WriteFile(slow, []byte("#!/bin/sh\n[ \"$1\" = "+queueArg+" ] && read x <"+p.dir+"/up\nexec "+spool+" \"$@\"\n"), 0o700))
	app, err := unique.Acquire(context.Background(), p.store.id(), &unique.Options{Mode: unique.ModeLauncher, Env: []string{"*"}})
	require.NoError(t, err)
	defer app.Close()
	code, err := app.Forward(context.Background(), &unique.Invocation{Args: []string{spool, "-replace"}, Data: [][]byte{[]byte(slow)}})
	require.NoError(t, err)
	require.Zero(t, code)
	require.Zero(t, p.do("-slots", "2").code)
	require.Equal(t, old, p.queuePID(), "who was told")
	comeUp()

	until(t, "there is a new queue", func() bool {
		h, err := unique.Lookup(t.Context(), p.store.id(), nil)
		return err == nil && h.PID != old
	})
	p.runsTwoAtOnce()
}

// A program that does not become the queue changes nothing: the old one goes on,
// with the jobs that it was about to leave to it.
func TestReplaceFails(t *testing.T) {
	p := newPlace(t)
	open := p.gate("gate")
	first := p.launch(spool, "--", "sh", "-c", "echo up; read x <gate; exit 0")
	first.says("up")
	old := p.queuePID()
	require.Equal(t, "2\n", p.do("-d", "--", "echo", "two").out)
	app, err := unique.Acquire(context.Background(), p.store.id(), &unique.Options{Mode: unique.ModeLauncher, Env: []string{"*"}})
	require.NoError(t, err)
	defer app.Close()
	code, err := app.Forward(context.Background(), &unique.Invocation{Args: []string{spool, "-replace"}, Data: [][]byte{[]byte("/nonexistent/spool")}})
	require.NoError(t, err)
	require.Zero(t, code)
	until(t, "the failure is in the log", func() bool {
		words, err := os.ReadFile(p.store.logPath())
		return err == nil && len(words) > 0
	})
	require.NoError(t, os.Truncate(p.store.logPath(), 0)) // which no other test may have written to
	open()
	require.Zero(t, first.wait().code)
	require.Zero(t, p.do("wait", "2").code)
	require.Equal(t, "two\n", p.do("cat", "2").out)
	require.Equal(t, old, p.queuePID())
}
