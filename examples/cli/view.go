package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// A view prints what a watcher is told: one line per event or, live, only one
// for each job that has ended, and below these one for each running job.
type view struct {
	w       io.Writer
	live    bool
	state   map[int]string // by id, what was shown last
	running map[int]record
	written map[int]int64
	note    string // shown last by status
	drawn   int    // lines below those that stay
	err     error  // of the first failed write
}

// newView returns a view that has nothing more to say about jobs that are over
// already.
func newView(w io.Writer, live bool, records []record) *view {
	v := &view{w: w, live: live, state: map[int]string{}, running: map[int]record{}, written: map[int]int64{}}
	for _, r := range records {
		if r.over() {
			v.state[r.ID] = r.State
		}
	}
	return v
}

// isTerminal reports whether f is a terminal that understands the few escape
// sequences used here.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	term := os.Getenv("TERM")
	return (err != nil || !os.SameFile(info, null)) && term != "" && term != "dumb"
}

// apply shows an event.
func (v *view) apply(e event) {
	if e.Job != nil {
		v.job(e.Job)
	}
	if e.Written != nil {
		v.written = e.Written
	}
	v.draw()
}

func (v *view) applyAll(records []record) {
	for i := range records {
		v.job(&records[i])
	}
	v.draw()
}

// job shows a job's new state. A job only goes forward: older news are none.
func (v *view) job(r *record) {
	if order(r.State) <= order(v.state[r.ID]) {
		return
	}
	v.state[r.ID], v.note = r.State, ""
	delete(v.running, r.ID)
	if r.State == running {
		v.running[r.ID] = *r
	}
	at, what := r.Queued, r.State
	switch r.State {
	case running:
		at, what = r.Started, "started"
	case done:
		at, what = r.Ended, fmt.Sprintf("done, code %d, %s", r.Code, brief(r.elapsed(r.Ended)))
	case cancelled, lost:
		at = r.Ended
	}
	if at.IsZero() { // it was lost, nobody knows when
		at = time.Now()
	}
	if !v.live || r.over() {
		line := fmt.Sprintf("%s job %d %s: %s", at.Local().Format(time.TimeOnly), r.ID, what, r.command())
		if r.Note != "" {
			line += " (" + r.Note + ")"
		}
		v.print(line)
	}
}

func order(state string) int {
	switch state {
	case "":
		return 0
	case queued:
		return 1
	case running:
		return 2
	default:
		return 3
	}
}

// status shows how it is about the queue, once for the same queue.
func (v *view) status(note string) {
	if note != v.note {
		v.print(time.Now().Format(time.TimeOnly) + " " + note)
	}
	v.note = note
}

// print prints a line that stays.
func (v *view) print(line string) {
	v.clear()
	v.write(line + "\n")
}

// clear takes the lines of the running jobs off the terminal.
func (v *view) clear() {
	if v.drawn > 0 {
		v.write(fmt.Sprintf("\x1b[%dA\x1b[J", v.drawn))
		v.drawn = 0
	}
}

// draw draws the lines of the running jobs anew.
func (v *view) draw() {
	if !v.live {
		return
	}
	v.clear()
	var b strings.Builder
	b.WriteString("\x1b[?7l") // lines that are too long are cut by the terminal
	for _, id := range slices.Sorted(maps.Keys(v.running)) {
		r := v.running[id]
		fmt.Fprintf(&b, "%5d  %8s  %9s written  %s\n", id, brief(r.elapsed(time.Now())), size(v.written[id]), r.command())
		v.drawn++
	}
	waiting := 0
	for _, state := range v.state {
		if state == queued {
			waiting++
		}
	}
	if waiting > 0 {
		fmt.Fprintf(&b, "       %d waiting\n", waiting)
		v.drawn++
	}
	b.WriteString("\x1b[?7h")
	if v.drawn > 0 {
		v.write(b.String())
	}
}

func (v *view) write(s string) {
	if v.err == nil {
		_, v.err = io.WriteString(v.w, s)
	}
}

// size prints a number of bytes.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	default:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
}
