package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
		"-run", `(pushpull|reqrep|pubsub) (tcp|ipc)|inproc|base|curve|proxy|epgm|connections .* 10 `, "-size", "64",
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
	if why := noNamespaces(); why != "" {
		if len(r.Missing) != 1 || !strings.Contains(r.Missing[0], why) {
			t.Errorf("it does not say that epgm lacks %q: %q", why, r.Missing)
		}
		seen["epgm"] = true
	} else if left, _ := filepath.Glob(fmt.Sprintf("/run/netns/solomq-perf-%d*", os.Getpid())); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, want := range []string{"epgm", "pushpull", "reqrep", "inproc", "inproc-reqrep", "pubsub", "connections", "curve", "proxy", "base"} {
		if !seen[want] {
			t.Errorf("%s was not measured", want)
		}
	}
}

// What cannot be measured here is left out and said, or an error if it was asked
// for.
func TestModeThatLacksSomething(t *testing.T) {
	var m *mode
	for _, m = range modes {
		if m.name == "epgm" {
			break
		}
	}
	had := m.lacks
	defer func() { m.lacks = had }()
	m.lacks = func() string { return "it needs a moon" }
	sel := selection{}
	cells, err := plan(&sel, libraries)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cells {
		if c.work.mode == m {
			t.Errorf("%s is measured", c.work)
		}
	}
	if want := []string{"mode epgm: it needs a moon"}; !slices.Equal(sel.lacking, want) {
		t.Errorf("it says %q, want %q", sel.lacking, want)
	}
	if _, err := plan(&selection{modes: []string{"epgm"}}, libraries); err == nil || !strings.Contains(err.Error(), "moon") {
		t.Errorf("the error is %v", err)
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
