package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuote(t *testing.T) {
	for arg, want := range map[string]string{
		"make": "make", "-j4": "-j4", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "a|b": "'a|b'", "é": "é",
		"a\nb": `$'a\nb'`, "\x1b[31m": `$'\x1b[31m'`, "\xff": `$'\xff'`, "$x": "'$x'", "~": "'~'",
	} {
		require.Equal(t, want, quote(arg))
	}
}

func TestBrief(t *testing.T) {
	require.Equal(t, "-", brief(0))
	require.Equal(t, "1.5s", brief(1500*time.Millisecond))
	require.Equal(t, "1:05", brief(65*time.Second))
	require.Equal(t, "2:00:09", brief(2*time.Hour+9*time.Second))
	require.Equal(t, "999 B", size(999))
	require.Equal(t, "1.5 kB", size(1500))
	require.Equal(t, "2.0 MB", size(2e6))
	require.Equal(t, "3.1 GB", size(3.1e9))
}

func TestPlainView(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	old := record{ID: 1, State: done, Args: []string{"old"}}
	var b strings.Builder
	v := newView(&b, false, []record{old})
	job := record{ID: 2, State: queued, Args: []string{"make", "a b"}, Queued: at}
	v.applyAll([]record{old, job})
	job.State, job.Started = running, at.Add(time.Second)
	v.apply(event{Job: &job})
	v.apply(event{Written: map[int]int64{2: 5}})
	v.apply(event{Job: &job}) // again, out of a snapshot
	job.State, job.Ended, job.Code = done, at.Add(3*time.Second), 4
	v.apply(event{Job: &job})
	stale := job
	stale.State = running
	v.apply(event{Job: &stale})
	v.apply(event{Job: &record{ID: 3, State: lost, Args: []string{"x"}, Ended: at, Note: "why"}})
	v.status("ends")
	v.status("ends")
	lines := strings.Split(b.String(), "\n")
	require.Equal(t, []string{
		"03:04:05 job 2 queued: make 'a b'",
		"03:04:06 job 2 started: make 'a b'",
		"03:04:08 job 2 done, code 4, 2.0s: make 'a b'",
		"03:04:05 job 3 lost: x (why)",
	}, lines[:4])
	require.Len(t, lines, 6)
	require.True(t, strings.HasSuffix(lines[4], " ends"))
	require.NotContains(t, b.String(), "\x1b")
}

func TestLiveView(t *testing.T) {
	var b strings.Builder
	v := newView(&b, true, nil)
	job := record{ID: 2, State: running, Args: []string{"make"}, Started: time.Now()}
	v.applyAll([]record{job, {ID: 3, State: queued, Args: []string{"next"}}})
	require.Contains(t, b.String(), "0 B written  make\n")
	require.Contains(t, b.String(), "1 waiting\n")
	b.Reset()
	v.apply(event{Written: map[int]int64{2: 1500}})
	require.True(t, strings.HasPrefix(b.String(), "\x1b[2A\x1b[J"), "the two lines are drawn anew")
	require.Contains(t, b.String(), "1.5 kB written  make\n")
	b.Reset()
	job.State, job.Ended = done, time.Now()
	v.apply(event{Job: &job})
	require.Contains(t, b.String(), " job 2 done, code 0, ")
	require.NotContains(t, b.String(), "written")
	require.Contains(t, b.String(), "1 waiting\n")
	b.Reset()
	v.clear()
	v.clear()
	require.Equal(t, "\x1b[1A\x1b[J", b.String())

	v = newView(brokenPipe{}, false, nil)
	v.status("x")
	require.ErrorIs(t, v.err, errBroken)
}

var errBroken = errors.New("broken")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }
