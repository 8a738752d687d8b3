package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// TestBare builds the bare program and runs it at everything that it can do, and
// with messages that come in pieces.
func TestBare(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program and runs it many times")
	}
	if runtime.GOOS != "linux" {
		t.Skip(installBare)
	}
	if _, err := exec.LookPath("cc"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v; %s", err, installBare)
		}
		t.Skipf("%v; %s", err, installBare)
	}
	o, err := parse("compare", []string{"-peers", "bare", "-size", "32,1Ki,1Mi", "-rounds", "1", "-time", "20ms", "-out", ""})
	if err != nil {
		t.Fatal(err)
	}
	r, err := compare(t.Context(), o, silent())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.failures(func(*contender) bool { return true }) {
		t.Error(f)
	}
	places := 1
	if o.pinned {
		places = 3
	}
	if want := 2 * 3 * places; len(r.cells) != want {
		t.Errorf("it takes part in %d works, want %d", len(r.cells), want)
	}
	for _, c := range r.cells {
		if v := c.of("bare").values(value); len(v) != 1 || !(v[0] > 0) {
			t.Errorf("%s: %v", c.work, v)
		}
	}
}

// A yardstick has a column with its ratio, and is treated as no competitor.
func TestYardstickIsNoCompetitor(t *testing.T) {
	r := madeUp(t)
	for _, c := range r.cells {
		if takesPart, want := c.of("bare") != nil, c.work.mode.name == "reqrep" && c.work.n == 1; takesPart != want {
			t.Errorf("%s: it takes part: %t, want %t", c.work, takesPart, want)
		}
		if text := entry(c, "bare", value, c.work.mode.unit); c.of("bare") != nil && !strings.Contains(text, "x [") {
			t.Errorf("%s: no ratio in %q", c.work, text)
		}
	}
	if !strings.Contains(r.markdown(), "| bare C (no library) |") {
		t.Error("it has no column")
	}
	for _, v := range verdicts(r.cells) {
		if v.Who == "bare" || v.To == "bare" {
			t.Errorf("a verdict on it: %+v", v)
		}
	}
	for _, g := range r.chartGroups() {
		for _, b := range g.bars {
			if b.label == "bare" {
				t.Errorf("it has a bar in the chart, at %s", g.title)
			}
		}
	}

	b, err := r.json()
	if err != nil {
		t.Fatal(err)
	}
	var read jsonReport
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	for _, w := range read.Works {
		for _, c := range w.Contenders {
			if c.Yardstick != (c.Name == "bare") || c.Yardstick && c.Ratio == nil {
				t.Errorf("%s: JSON has %+v", w.Name, c)
			}
		}
	}
}
