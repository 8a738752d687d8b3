package main

import (
	"fmt"
	"regexp"
	"slices"
)

// A selection says which of the works and contenders are wanted; empty fields
// mean all.
type selection struct {
	modes, transports []string
	sizes             []int
	match             *regexp.Regexp // of the works' names
	quick             bool
	everywhere        bool     // also what cannot be measured here
	pinned            bool     // programs can be pinned to processors
	lacking           []string // modes that plan has left out, and why
}

// A cell is a work with those who take part in it, and what they reached.
type cell struct {
	work       *work
	contenders []*contender
	results    []*series // one for each contender
}

// plan returns what is to be measured with the given libraries.
func plan(sel *selection, libs []*library) ([]*cell, error) {
	for _, name := range sel.modes {
		if !slices.Contains(modeNames(), name) {
			return nil, fmt.Errorf("no mode %q; there are %v", name, modeNames())
		}
	}
	var cells []*cell
	for _, m := range modes {
		if len(sel.modes) > 0 && !slices.Contains(sel.modes, m.name) {
			continue
		}
		if m.lacks != nil && !sel.everywhere {
			if why := m.lacks(); why != "" {
				if slices.Contains(sel.modes, m.name) {
					return nil, fmt.Errorf("mode %s: %s", m.name, why)
				}
				sel.lacking = append(sel.lacking, fmt.Sprintf("mode %s: %s", m.name, why))
				continue
			}
		}
		sizes := m.sizes
		if len(sel.sizes) > 0 && sizes != nil {
			sizes = sel.sizes
		}
		for _, w := range m.works(sizes) {
			w.mode = m
			if !sel.wants(w) {
				continue
			}
			c := &cell{work: w, contenders: contendersOf(w, libs)}
			for range c.contenders {
				c.results = append(c.results, &series{})
			}
			if len(c.contenders) > 0 {
				cells = append(cells, c)
			}
		}
	}
	if len(cells) == 0 {
		return nil, fmt.Errorf("nothing fits the flags; -mode may be %v", modeNames())
	}
	return cells, nil
}

func (sel *selection) wants(w *work) bool {
	switch {
	case len(sel.transports) > 0 && !slices.Contains(sel.transports, w.transport):
		return false
	case sel.match != nil && !sel.match.MatchString(w.String()):
		return false
	case w.place != free && !sel.pinned:
		return false
	default:
		// Whoever asks for sizes gets them.
		return !sel.quick || w.quick || len(sel.sizes) > 0 && w.place == free && w.n <= 1
	}
}

func contendersOf(w *work, libs []*library) (all []*contender) {
	for _, l := range libs {
		if !l.can(w) {
			continue
		}
		if !l.ours || w.mode.ways == nil {
			all = append(all, &contender{lib: l})
			continue
		}
		for _, way := range w.mode.ways(w) {
			all = append(all, &contender{lib: l, way: way.name, flags: way.flags})
		}
	}
	return all
}
