package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// A progress shows how far a run is: on a terminal in one line that changes, else
// in a line for every work.
type progress struct {
	w           io.Writer
	terminal    bool
	began       time.Time
	steps, all  int
	last        *work
	lastRound   int
	pendingLine bool
}

func newProgress(f *os.File) *progress {
	p := &progress{w: f}
	if i, err := f.Stat(); err == nil && i.Mode()&os.ModeCharDevice != 0 {
		p.terminal = true
	}
	return p
}

// say tells something that stays.
func (p *progress) say(format string, args ...any) {
	p.newline()
	fmt.Fprintf(p.w, format+"\n", args...)
}

func (p *progress) begin(all int) { p.began, p.all = time.Now(), all }

func (p *progress) step(round int, w *work, c *contender, text string) {
	p.steps++
	if p.terminal {
		fmt.Fprintf(p.w, "\r\033[K%s: %s %s", p.head(round, w), c, text)
		p.pendingLine = true
		return
	}
	if p.last != w || p.lastRound != round {
		p.newline()
		fmt.Fprintf(p.w, "%s: ", p.head(round, w))
		p.last, p.lastRound = w, round
	} else {
		io.WriteString(p.w, "; ")
	}
	fmt.Fprintf(p.w, "%s %s", c, text)
	p.pendingLine = true
}

// fail tells what went wrong, in a line of its own.
func (p *progress) fail(round int, w *work, c *contender, err error) {
	p.steps++
	p.say("%s: %s FAILED: %v", p.head(round, w), c, err)
	p.last = nil
}

// head tells where the run is, and how long the rest will take if it goes on as
// it went.
func (p *progress) head(round int, w *work) string {
	spent := time.Since(p.began)
	left := time.Duration(0)
	if p.steps > 0 {
		left = spent / time.Duration(p.steps) * time.Duration(p.all-p.steps)
	}
	return fmt.Sprintf("[%d/%d, %v left] round %d, %s", p.steps, p.all, left.Round(time.Second), round+1, w)
}

func (p *progress) newline() {
	if p.pendingLine {
		io.WriteString(p.w, "\n")
		p.pendingLine = false
	}
}

func (p *progress) done() { p.newline() }
