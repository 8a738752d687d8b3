package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// patience is how much longer than its time a measurement may take, with starting
// two programs and a thousand connections, before it counts as hung.
const patience = 15 * time.Second

func compareCommand(ctx context.Context, args []string) error {
	o, err := parse("compare", args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	r, err := compare(ctx, o, newProgress(os.Stderr))
	if err != nil {
		return err
	}
	if err := r.writeFiles(o.out); err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString(r.markdown()); err != nil {
		return err
	}
	if o.out != "" {
		fmt.Fprintf(os.Stderr, "report.md, report.json and chart.svg are in %s\n", o.out)
	}
	if f := r.ourFailures(); len(f) > 0 {
		return fmt.Errorf("SoloMQ failed at:\n%s", strings.Join(f, "\n"))
	}
	return ctx.Err()
}

// compare measures what o asks for.
func compare(ctx context.Context, o *options, p *progress) (_ *report, err error) {
	began := time.Now()
	dir, err := os.MkdirTemp("", "solomq-perf-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	b := &bed{dir: dir, time: o.time, patience: patience, cpus: pinnable()}
	defer func() { err = errors.Join(err, b.close()) }()
	o.pinned = b.cpus != nil
	cells, err := plan(&o.selection, o.libs) // also to see what has to be built
	if err != nil {
		return nil, err
	}
	var missing []string
	b.programs, missing, err = buildAll(ctx, needed(cells), o.named, dir, p.say)
	if err != nil {
		return nil, err
	}
	for _, m := range missing {
		p.say("left out: %s", m)
	}
	var built []*library
	for _, l := range o.libs {
		if b.programs[l] != "" {
			built = append(built, l)
		}
	}
	o.lacking = nil
	if cells, err = plan(&o.selection, built); err != nil {
		return nil, err
	}
	for _, m := range o.lacking {
		p.say("left out: %s", m)
	}
	missing = append(missing, o.lacking...)

	r := &report{Machine: describeMachine(ctx, b.programs), Time: o.time, Missing: missing, cells: cells}
	l := beginLoad()
	r.Rounds = rounds(ctx, b, cells, o.rounds, began.Add(o.budget), p)
	r.Took = time.Since(began)
	if part, known := l.others(); known {
		r.Notes = append(r.Notes, fmt.Sprintf("meanwhile other programs used %.0f %% of the processors", 100*part))
	}
	p.done()
	if slices.ContainsFunc(cells, func(c *cell) bool { return c.work.place != free }) {
		r.Notes = append(r.Notes, fmt.Sprintf("what is pinned is pinned to processors %s", strings.Join(b.cpus, " and ")))
	} else if !o.pinned {
		r.Notes = append(r.Notes, "nothing was pinned: that needs taskset and two processors")
	}
	if r.Rounds < o.rounds {
		r.Notes = append(r.Notes, fmt.Sprintf("of %d rounds, %d are complete: the budget of %v was used up, or the run was interrupted", o.rounds, r.Rounds, o.budget))
	}
	return r, nil
}

// needed returns the libraries that take part in cells.
func needed(cells []*cell) (libs []*library) {
	seen := map[*library]bool{}
	for _, c := range cells {
		for _, x := range c.contenders {
			seen[x.lib] = true
		}
	}
	for _, l := range libraries {
		if seen[l] {
			libs = append(libs, l)
		}
	}
	return libs
}
