package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A report is what a run has found.
type report struct {
	Machine machine
	Rounds  int           // that are complete
	Time    time.Duration // of one measurement
	Took    time.Duration
	Missing []string // libraries that could not be built
	Notes   []string
	cells   []*cell
}

// writeFiles writes the report into dir, unless that is empty.
func (r *report) writeFiles(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := r.json()
	if err != nil {
		return err
	}
	for name, b := range map[string][]byte{
		"report.md":   []byte(r.markdown()),
		"report.json": data,
		"chart.svg":   []byte(r.chart()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// failures tells what went wrong, of those that pick says.
func (r *report) failures(pick func(*contender) bool) (all []string) {
	for _, c := range r.cells {
		for i, x := range c.contenders {
			for _, f := range c.results[i].failures {
				if pick(x) {
					all = append(all, fmt.Sprintf("%s, %s, %s", c.work, x, f))
				}
			}
		}
	}
	return all
}

func (r *report) ourFailures() []string {
	return r.failures(func(c *contender) bool { return c.lib.ours })
}
