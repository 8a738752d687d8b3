package main

import (
	"io"
	"testing"
)

// TestCompareOurselves builds SoloMQ's measuring program and runs every kind of
// work with it, shortly.
func TestCompareOurselves(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program and runs it many times")
	}
	o, err := parse("compare", []string{
		"-peers", "solomq", "-rounds", "1", "-time", "150ms", "-out", "",
		"-run", `(pushpull|reqrep|pubsub) (tcp|ipc)|inproc|base|curve|proxy|connections .* 10 `, "-size", "64",
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := compare(t.Context(), o, &progress{w: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.ourFailures() {
		t.Error(f)
	}
	seen := map[string]bool{}
	for _, c := range r.cells {
		seen[c.work.mode.name] = true
		for i, s := range c.results {
			if v := summarize(s.values(value)); v.N != 1 || v.Median <= 0 {
				t.Errorf("%s, %s: %+v", c.work, c.contenders[i], v)
			}
		}
	}
	for _, want := range []string{"pushpull", "reqrep", "inproc", "inproc-reqrep", "pubsub", "connections", "curve", "proxy", "base"} {
		if !seen[want] {
			t.Errorf("%s was not measured", want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"-size", "big"},
		{"-peers", "zeromq"},
		{"-run", "("},
		{"-rounds", "-1"},
		{"-time", "0s"},
		{"pushpull"},
		{"-nonsense"},
	} {
		if o, err := parse("compare", args); err == nil {
			t.Errorf("%v gives %+v", args, o)
		}
	}
}
