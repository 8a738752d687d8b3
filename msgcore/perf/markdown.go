package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// markdown is the report as people read it.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# SoloMQ side by side\n\n")
	r.writeHead(&b)
	r.writeVerdicts(&b)
	for _, m := range modes {
		var cells []*cell
		for _, c := range r.cells {
			if c.work.mode == m {
				cells = append(cells, c)
			}
		}
		if len(cells) == 0 {
			continue
		}
		direction := "more is better"
		if m.unit.lower {
			direction = "less is better"
		}
		fmt.Fprintf(&b, "## %s\n\n%s In %s; %s.\n\n", m.title, m.about, m.unit.name, direction)
		writeTable(&b, cells, value, m.unit)
		for _, more := range m.tells {
			fmt.Fprintf(&b, "%s\n\n", more.title)
			writeTable(&b, cells, more.of, more.unit)
		}
	}
	if f := r.failures(func(*contender) bool { return true }); len(f) > 0 {
		fmt.Fprintf(&b, "## What failed\n\n")
		for _, line := range f {
			fmt.Fprintf(&b, "- %s\n", line)
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (r *report) writeHead(b *strings.Builder) {
	m := r.Machine
	fmt.Fprintf(b, "%s. %s.\n", m, m.Date.Format(time.DateOnly))
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
		versions = append(versions, name+" "+m.Versions[name])
	}
	fmt.Fprintf(b, "%s.\n\n", strings.Join(versions, ", "))
	fmt.Fprintf(b, "%d rounds of %v for each measurement, %v in all. ", r.Rounds, r.Time, r.Took.Round(time.Second))
	fmt.Fprintf(b, "A value is the median of the rounds; behind it, in brackets, its ratio to libzmq: the median [least..greatest] of the ratios within each round.\n")
	for _, n := range r.Notes {
		fmt.Fprintf(b, "%s%s.\n", strings.ToUpper(n[:1]), n[1:])
	}
	for _, n := range r.Missing {
		fmt.Fprintf(b, "\nLeft out: %s\n", strings.ReplaceAll(n, "\n", "; "))
	}
	b.WriteString("\n")
}

func (r *report) writeVerdicts(b *strings.Builder) {
	all := verdicts(r.cells)
	if len(all) == 0 {
		return
	}
	b.WriteString("## What is to be reached\n\n| work | who | against | must | goal | measured | reached |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, v := range all {
		work, sign := v.Work, "x"
		if v.What != "" {
			work += ": " + v.What
		}
		if v.Above {
			sign = " ms"
		}
		met := v.Met
		if met == "no" {
			met = "**no**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %g%s | %g%s | %s | %s |\n", work, v.Who, v.To, v.Must, sign, v.Goal, sign, spread(v.Ratio, sign), met)
	}
	b.WriteString("\n")
}

// spread shows a summary as "3.1x [2.8..3.6]".
func spread(s summary, sign string) string {
	text := digits(s.Median) + sign
	if s.N > 1 {
		text += fmt.Sprintf(" [%s..%s]", digits(s.Min), digits(s.Max))
	}
	return text
}

// writeTable writes cells as rows and their contenders as columns.
func writeTable(b *strings.Builder, cells []*cell, of func(*sample) float64, u unit) {
	columns := columnsOf(cells)
	b.WriteString("| |")
	for _, c := range columns {
		b.WriteString(" " + c.title() + " |")
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(columns)) + "\n")
	for _, c := range cells {
		fmt.Fprintf(b, "| %s |", strings.TrimPrefix(c.work.String(), c.work.mode.name+" "))
		for _, x := range columns {
			b.WriteString(" " + entry(c, x.String(), of, u) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// columnsOf returns all who take part in one of cells, each library's together.
func columnsOf(cells []*cell) (columns []*contender) {
	for _, l := range libraries {
		for _, c := range cells {
			for _, x := range c.contenders {
				known := func(y *contender) bool { return y.String() == x.String() }
				if x.lib == l && !slices.ContainsFunc(columns, known) {
					columns = append(columns, x)
				}
			}
		}
	}
	return columns
}

func entry(c *cell, name string, of func(*sample) float64, u unit) string {
	s := c.of(name)
	if s == nil {
		return ""
	}
	v := summarize(s.values(of))
	if v.N == 0 {
		if len(s.failures) > 0 {
			return "failed"
		}
		return ""
	}
	text := u.format(v.Median)
	ref := c.of(reference)
	switch {
	case ref == nil || name == reference:
		if v.N > 1 {
			text += fmt.Sprintf(" [%s..%s]", u.format(v.Min), u.format(v.Max))
		}
	default:
		if q := ratios(s, ref, of); q.N > 0 {
			text += " (" + spread(q, "x") + ")"
		}
	}
	if len(s.failures) > 0 {
		text += fmt.Sprintf(", %d failed", len(s.failures))
	}
	return text
}
