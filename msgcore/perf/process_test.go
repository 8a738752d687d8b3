package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// acting returns a bed on which the given contender's program acts as told.
func acting(t *testing.T, act string, patience time.Duration) (*bed, *contender) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PERF_TEST_ACT", act)
	c := &contender{lib: &library{name: "fake", title: "Fake"}}
	return &bed{programs: programs{c.lib: self}, dir: t.TempDir(), time: time.Millisecond, patience: patience}, c
}

func fakeWork(u unit) *work {
	return &work{mode: &mode{name: "fake", unit: u}, transport: "tcp", size: 64}
}

func TestHungProgramIsEnded(t *testing.T) {
	b, c := acting(t, "hang", time.Second)
	for name, measure := range map[string]measureFunc{"pair": pair("pull", "push", "pull"), "single": single("inthr"), "idle": idleMemory} {
		// goleak would find the goroutine that waits for a program that goes on.
		if _, err := measure(t.Context(), b, fakeWork(perSecond), c); !errors.Is(err, errLate) {
			t.Errorf("%s: the error is %v, want %v", name, err, errLate)
		}
	}
}

func TestProgramThatDiesTellsWhy(t *testing.T) {
	b, c := acting(t, "die", 30*time.Second)
	_, err := single("inthr")(t.Context(), b, fakeWork(perSecond), c)
	if err == nil || !strings.Contains(err.Error(), "the reason") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("the error is %v, want the last line of standard error and the exit status", err)
	}
}

func TestResult(t *testing.T) {
	b, c := acting(t, "talk", 30*time.Second)
	for u, want := range map[unit]float64{perSecond: 1000, microseconds: 7} {
		s, err := pair("pull", "push", "pull")(t.Context(), b, fakeWork(u), c)
		if err != nil {
			t.Fatal(err)
		}
		if s.value != want || s.cpu <= 0 {
			t.Errorf("in %s the value is %g with %g µs of CPU, want %g and some", u.name, s.value, s.cpu, want)
		}
	}
}

func TestInterruptedProgramIsEnded(t *testing.T) {
	b, c := acting(t, "hang", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := b.start(ctx, fakeWork(perSecond), c, "pull", "", true)
	if err != nil {
		t.Fatal(err)
	}
	defer p.end()
	if _, err := p.expect(ctx, "ready"); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		t.Error("the program goes on")
	}
}

func TestNothingCameThrough(t *testing.T) {
	for _, line := range []string{"messages=0 seconds=1 total=1", "p50=1", "messages=x", "messages"} {
		if s, err := result(fakeWork(perSecond), line, 0); err == nil {
			t.Errorf("%q gives %g", line, s.value)
		}
	}
}
