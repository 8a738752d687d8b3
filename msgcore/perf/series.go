package main

import (
	"math"
	"slices"
)

// A series is what one contender reached at one work: one sample for each round,
// nil where it failed.
type series struct {
	samples  []*sample
	failures []string
}

// maxFailures is after how many a contender is not tried again at a work.
const maxFailures = 2

// values returns what of is in each sample, NaN where there is none.
func (s *series) values(of func(*sample) float64) []float64 {
	v := make([]float64, len(s.samples))
	for i, x := range s.samples {
		v[i] = math.NaN()
		if x != nil {
			v[i] = of(x)
		}
	}
	return v
}

func value(s *sample) float64 { return s.value }
func cpu(s *sample) float64   { return s.cpu }

// lost is how much of what was sent never came, in percent.
func lost(s *sample) float64 {
	n := s.extra["lost"]
	return 100 * n / (n + s.extra["messages"])
}

// A summary is the middle of some values, and how far they spread.
type summary struct {
	Median, Min, Max float64
	N                int
}

// summarize leaves NaNs out.
func summarize(values []float64) summary {
	v := slices.DeleteFunc(slices.Clone(values), func(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) })
	if len(v) == 0 {
		return summary{}
	}
	slices.Sort(v)
	mid := v[len(v)/2]
	if len(v)%2 == 0 {
		mid = (v[len(v)/2-1] + mid) / 2
	}
	return summary{Median: mid, Min: v[0], Max: v[len(v)-1], N: len(v)}
}

// ratios compares round by round what of is in two series.
func ratios(s, to *series, of func(*sample) float64) summary {
	a, b := s.values(of), to.values(of)
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = math.NaN()
		if b[i] > 0 {
			r[i] = a[i] / b[i]
		}
	}
	return summarize(r)
}

// of returns the results of the contender with the given name; nil if it took no
// part.
func (c *cell) of(name string) *series {
	for i, x := range c.contenders {
		if x.String() == name {
			return c.results[i]
		}
	}
	return nil
}

// differences is ratios with a difference instead.
func differences(s, to *series, of func(*sample) float64) summary {
	a, b := s.values(of), to.values(of)
	d := make([]float64, min(len(a), len(b)))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	return summarize(d)
}
