package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// madeUp is a report with something in every place.
func madeUp(t *testing.T) *report {
	t.Helper()
	cells := planned(t, selection{pinned: true, everywhere: true}, libraries)
	for i, c := range cells {
		for k, s := range c.results {
			s.samples = []*sample{{value: float64(1 + i + k), cpu: 2}, nil, {value: float64(2 + i + k), cpu: 3}}
		}
	}
	cells[0].results[1].failures = []string{"round 2: a <reason> & more"}
	return &report{
		Machine: machine{CPU: "A & B <C>", Date: time.Unix(0, 0), Versions: map[string]string{"SoloMQ": "v1"}},
		Rounds:  3, Time: time.Second, Took: time.Minute, Notes: []string{"a note"}, Missing: []string{"X\ninstall it"},
		cells: cells,
	}
}

func TestMarkdownTables(t *testing.T) {
	text := madeUp(t).markdown()
	width, tables := 0, 0
	for line := range strings.Lines(text) {
		cells := strings.Count(line, "|")
		switch {
		case cells == 0:
			width = 0
		case width == 0:
			width, tables = cells, tables+1
		case cells != width:
			t.Errorf("%d columns in a table of %d: %s", cells-1, width-1, line)
		}
	}
	want := 1 // the targets
	for _, m := range modes {
		want += 1 + len(m.tells)
	}
	if tables != want {
		t.Errorf("%d tables, want %d", tables, want)
	}
	for _, want := range []string{"What failed", "a <reason>", "Left out: X; install it", "A note."} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

func TestRatioIsShown(t *testing.T) {
	c := &cell{
		work:       fakeWork(perSecond),
		contenders: []*contender{{lib: &library{name: "solomq"}}, {lib: &library{name: reference}}},
		results:    []*series{seriesOf(4e6, 9e6, 10e6), seriesOf(2e6, 3e6, 2e6)},
	}
	if got, want := entry(c, "solomq", value, perSecond), "9.00 M (3.00x [2.00..5.00])"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := entry(c, reference, value, perSecond), "2.00 M [2.00 M..3.00 M]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestJSONHasEveryRound(t *testing.T) {
	b, err := madeUp(t).json()
	if err != nil {
		t.Fatal(err)
	}
	var r jsonReport
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	for _, w := range r.Works {
		for _, c := range w.Contenders {
			if len(c.Values) != 3 || c.Values[0] == nil || c.Values[1] != nil {
				t.Fatalf("%s, %s: values %v, want one, none, one", w.Name, c.Name, c.Values)
			}
		}
	}
	if len(r.Verdicts) == 0 {
		t.Error("no verdicts")
	}
}

func TestChartIsSVG(t *testing.T) {
	d := xml.NewDecoder(strings.NewReader(madeUp(t).chart()))
	d.Strict = true
	bars := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			bars++
		}
	}
	if bars < 20 {
		t.Errorf("%d bars", bars)
	}
}

func TestWriteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := madeUp(t).writeFiles(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"report.md", "report.json", "chart.svg"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := madeUp(t).writeFiles(""); err != nil {
		t.Error(err)
	}
}
