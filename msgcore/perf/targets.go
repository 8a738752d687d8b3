package main

import "slices"

// A target is a ratio that a contender has to reach at some works.
type target struct {
	mode  string
	fits  func(w *work) bool // nil: all works of the mode
	who   string             // the contender
	to    string             // whom it is compared with; empty is the reference
	of    func(*sample) float64
	what  string  // if it is not the mode's value that is compared
	must  float64 // what is to be reached at least
	goal  float64 // what is aimed at
	lower bool    // both are upper bounds
	above bool    // not a ratio: by how many ms it may be above the other
}

func sized(sizes ...int) func(*work) bool {
	return func(w *work) bool { return slices.Contains(sizes, w.size) }
}

func counted(size int, n ...int) func(*work) bool {
	return func(w *work) bool { return w.size == size && slices.Contains(n, w.n) }
}

func at(transport string, size int) func(*work) bool {
	return func(w *work) bool { return w.transport == transport && w.size == size }
}

func fanOut(n int) func(*work) bool {
	return func(w *work) bool { return w.size == 64 && w.n == n && w.waits }
}

var targets = []target{
	{mode: "pushpull", fits: sized(16, 64), who: "solomq batch", must: 3, goal: 5},
	{mode: "pushpull", fits: sized(16, 64), who: "solomq released", must: 2, goal: 3.5},
	{mode: "pushpull", fits: sized(16, 64), who: "solomq owned", must: 1.5, goal: 2.5},
	{mode: "pushpull", fits: sized(256, 1<<10), who: "solomq released", must: 2, goal: 4},
	{mode: "pushpull", fits: sized(16 << 10), who: "solomq released", must: 1.3, goal: 2.2},
	{mode: "pushpull", fits: sized(64<<10, 1<<20), who: "solomq released", must: 1.3, goal: 2},
	{mode: "pushpull", fits: sized(16 << 10), who: "solomq owned, 32 MiB heap", must: 1, goal: 1.5},
	{mode: "pushpull", fits: sized(64 << 10), who: "solomq owned, 32 MiB heap", must: 0.9, goal: 1.3},
	{mode: "pushpull", fits: sized(1 << 20), who: "solomq owned, 32 MiB heap", must: 0.8, goal: 1.2},
	{mode: "pushpull", fits: sized(64), who: "solomq batch", of: cpu, what: "CPU", must: 0.6, goal: 0.2, lower: true},
	{mode: "pushpull", fits: sized(64), who: "solomq released", of: cpu, what: "CPU", must: 0.6, goal: 0.2, lower: true},
	{mode: "pushpull", fits: at("tcp", 16), who: "solomq released", to: "pebbe", must: 3, goal: 20},
	{mode: "pushpull", fits: at("tcp", 16), who: "solomq released", to: "go-zeromq", must: 3, goal: 20},
	{mode: "pushpull", fits: at("tcp", 16), who: "solomq released", to: "nats", must: 3, goal: 20},
	{mode: "pushpull", fits: at("tcp", 64), who: "solomq released", to: "pebbe", must: 3, goal: 20},
	{mode: "pushpull", fits: at("tcp", 64), who: "solomq released", to: "go-zeromq", must: 3, goal: 20},
	{mode: "pushpull", fits: at("tcp", 64), who: "solomq released", to: "nats", must: 3, goal: 20},
	{mode: "reqrep", fits: func(w *work) bool { return w.n == 1 }, who: "solomq", must: 0.7, goal: 0.4, lower: true},
	{mode: "reqrep", fits: func(w *work) bool { return w.n == 4 }, who: "solomq", must: 0.95, goal: 0.6, lower: true},
	{mode: "reqrep", fits: func(w *work) bool { return w.n == 1 && w.place != oneCore }, who: "solomq spin", must: 0.25, goal: 0.08, lower: true},
	{mode: "inproc", fits: sized(64), who: "solomq released", must: 1.5, goal: 3},
	{mode: "inproc-reqrep", who: "solomq", must: 0.1, goal: 0.02, lower: true},
	{mode: "pubsub", fits: fanOut(1), who: "solomq released", must: 1.5, goal: 3},
	{mode: "pubsub", fits: fanOut(10), who: "solomq released", must: 2, goal: 4},
	{mode: "pubsub", fits: fanOut(100), who: "solomq released", must: 2, goal: 5},
	{mode: "epgm", who: "solomq released", must: 1.5, goal: 4},
	{mode: "epgm", who: "solomq released", of: cpu, what: "CPU", must: 1, goal: 0.5, lower: true},
	{mode: "connections", fits: counted(64, 100), who: "solomq released", must: 2, goal: 3.5},
	{mode: "connections", fits: counted(64, 1000), who: "solomq released", must: 2, goal: 6},
	{mode: "curve", fits: sized(64), who: "solomq released", must: 1, goal: 2},
	{mode: "curve", fits: sized(1 << 10), who: "solomq released", must: 1, goal: 1.5},
	{mode: "curve", fits: sized(64 << 10), who: "solomq released", must: 0.7, goal: 1},
	{mode: "proxy", fits: sized(64), who: "solomq released", must: 1.5, goal: 3},
	{mode: "idle", who: "solomq as found", must: 0.4, goal: 0.25, lower: true},
	{mode: "base", who: "solomq", must: 1.4, goal: 1.1, lower: true},
	{mode: "launch", who: "unique run", to: "gapplication", must: 0.6, goal: 0.35, lower: true},
	{mode: "launch", who: "unique run", must: 1, goal: 0.7, lower: true},
	{mode: "launch", who: "unique run", to: "unique nothing", of: cpu, what: "CPU above an empty program", must: 1, goal: 0.5, lower: true, above: true},
}

// A verdict is how a target was met at one work.
type verdict struct {
	Work, Who, To, What string
	Ratio               summary
	Must, Goal          float64
	Above               bool
	Met                 string // "no", "must" or "goal"
}

// verdicts compares what was measured with the targets, in their order.
func verdicts(cells []*cell) (all []verdict) {
	for _, t := range targets {
		for _, c := range cells {
			if c.work.mode.name != t.mode || t.fits != nil && !t.fits(c.work) {
				continue
			}
			if v, ok := t.judge(c); ok {
				all = append(all, v)
			}
		}
	}
	return all
}

func (t *target) judge(c *cell) (verdict, bool) {
	to, of := t.to, t.of
	if to == "" {
		to = reference
	}
	if of == nil {
		of = value
	}
	a, b := c.of(t.who), c.of(to)
	if a == nil || b == nil {
		return verdict{}, false
	}
	v := verdict{Work: c.work.String(), Who: t.who, To: to, What: t.what, Must: t.must, Goal: t.goal, Above: t.above}
	if t.above {
		v.Ratio = differences(a, b, func(s *sample) float64 { return of(s) / 1000 })
	} else {
		v.Ratio = ratios(a, b, of)
	}
	if v.Ratio.N == 0 {
		return verdict{}, false
	}
	reaches := func(bound float64) bool {
		if t.lower {
			return v.Ratio.Median <= bound
		}
		return v.Ratio.Median >= bound
	}
	switch {
	case reaches(t.goal):
		v.Met = "goal"
	case reaches(t.must):
		v.Met = "must"
	default:
		v.Met = "no"
	}
	return v, true
}
