package main

import (
	"fmt"
	"slices"
	"strings"
)

// A work is one thing that every contender is measured at: a line of the report.
type work struct {
	mode      *mode
	transport string
	size      int    // of a message in bytes; 0 where there is none
	n         int    // peers, subscribers or connections; 0 where it goes without saying
	kind      string // of proxy
	place     place
	busy      bool // each of the n has a request under way at once
	waits     bool // the publisher waits for slow subscribers
	quick     bool // part of a -quick run
}

// A place says on which processors the two processes run.
type place int

const (
	free     place = iota // where the system puts them
	oneCore               // both on the same one
	ownCores              // each on one of its own
)

func (p place) String() string {
	return [...]string{"", "one core", "own cores"}[p]
}

// String names w, as -run matches it and reports show it.
func (w *work) String() string {
	parts := []string{w.mode.name, w.transport}
	if strings.HasPrefix(w.mode.name, w.transport) {
		parts = parts[:1] // inproc, epgm
	}
	if w.kind != "" {
		parts = append(parts, w.kind)
	}
	if w.size > 0 {
		parts = append(parts, sizeString(w.size))
	}
	name := strings.Join(parts, " ")
	if w.n > 0 {
		name += fmt.Sprintf(", %d %s", w.n, plural(w.mode.counts, w.n))
	}
	if w.busy {
		name += " at once"
	}
	if w.waits {
		name += ", none dropped"
	}
	if w.place != free {
		name += ", " + w.place.String()
	}
	return name
}

func plural(s string, n int) string {
	if n == 1 {
		return s
	}
	return s + "s"
}

// onlyReference reports whether libzmq alone is compared with at w.
func (w *work) onlyReference() bool {
	return slices.Contains([]string{"curve", "proxy", "epgm"}, w.mode.name)
}
