//go:build unix

package main

import (
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// events returns what a watcher has printed, without the times.
func (c *caller) events() []string {
	var events []string
	for line := range strings.Lines(c.out.String()) {
		events = append(events, regexp.MustCompile(`\d+\.\ds|\d\d:\d\d:\d\d |\n`).ReplaceAllString(line, ""))
	}
	return events
}

func TestWatch(t *testing.T) {
	p := newPlace(t)
	open := p.gate("gate")
	p.do("--", "echo", "before")
	w := p.launch(spool, "watch")
	running := p.launch(spool, "--", "sh", "-c", "read x <gate; exit 3")
	w.says("job 2 started")
	p.do("-d", "--", "true")
	w.says("job 3 queued")
	open()
	running.wait()
	w.says("job 3 done")
	p.do("stop")
	w.says("the queue has ended")
	p.do("--", "sh", "-c", "kill -9 $$") // over before the watcher finds the next queue, perhaps
	w.says("job 4 done")
	require.NoError(t, w.Process.Signal(os.Interrupt))
	require.Equal(t, 130, w.wait().code)
	events := w.events()
	for _, e := range []string{
		"job 2 started: sh -c 'read x <gate; exit 3'",
		"job 2 done, code 3, : sh -c 'read x <gate; exit 3'",
		"job 3 queued: true",
		"job 3 started: true",
		"job 3 done, code 0, : true",
		"job 4 done, code 137, : sh -c 'kill -9 $$'",
		"the queue has ended; waiting for the next",
	} {
		n := 0
		for _, got := range events {
			if got == e {
				n++
			}
		}
		require.Equal(t, 1, n, "%q in %q", e, events)
	}
	require.NotContains(t, strings.Join(events, " "), "before")
}

// A watcher sees each of many short jobs, once and in order, and learns what
// became of those that went down with their queue.
func TestWatchAll(t *testing.T) {
	p := newPlace(t)
	p.gate("gate")
	p.do("--", "true")
	w := p.launch(spool, "watch")
	p.do("-slots", "3")
	p.do("-d", "--", "true")
	w.says("job 2 ")
	jobs := sized(30, 300)
	for range jobs {
		p.do("-d", "--", "true")
	}
	p.do("-d", "--", "sh", "-c", "read x <gate")
	w.says("started: sh")
	require.NoError(t, syscall.Kill(p.queuePID(), syscall.SIGKILL))
	w.says("lost: sh")
	w.says("the queue has ended")
	state := map[string]string{}
	for _, e := range w.events() {
		f := strings.Fields(e)
		if f[0] != "job" {
			continue
		}
		switch was := state[f[1]]; strings.Trim(f[2], ":,") {
		case "queued":
			require.Empty(t, was, e)
		case "started":
			require.Contains(t, []string{"", "queued"}, was, e)
		case "done", "lost":
			require.NotContains(t, []string{"done", "lost"}, was, e)
		}
		state[f[1]] = strings.Trim(f[2], ":,")
	}
	require.Len(t, state, jobs+2)
	for id, s := range state {
		require.Contains(t, []string{"done", "lost"}, s, id)
	}
	require.NoError(t, w.Process.Kill())
	w.wait()
}
