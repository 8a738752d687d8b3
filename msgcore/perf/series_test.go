package main

import (
	"math"
	"testing"
)

func seriesOf(values ...float64) *series {
	s := &series{}
	for _, v := range values {
		if math.IsNaN(v) {
			s.samples = append(s.samples, nil)
		} else {
			s.samples = append(s.samples, &sample{value: v, cpu: v / 2})
		}
	}
	return s
}

var none = math.NaN()

func TestSummarize(t *testing.T) {
	for name, test := range map[string]struct {
		in   []float64
		want summary
	}{
		"odd":     {[]float64{3, 1, 2}, summary{2, 1, 3, 3}},
		"even":    {[]float64{4, 1, 2, 3}, summary{2.5, 1, 4, 4}},
		"gaps":    {[]float64{none, 5, math.Inf(1)}, summary{5, 5, 5, 1}},
		"nothing": {nil, summary{}},
	} {
		if got := summarize(test.in); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// A ratio is of two values of the same round, whatever the other rounds have.
func TestRatiosAreByRound(t *testing.T) {
	got := ratios(seriesOf(20, none, 90, 7), seriesOf(10, 5, 30), value)
	if want := (summary{2.5, 2, 3, 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := ratios(seriesOf(1), seriesOf(0), value); got.N != 0 {
		t.Errorf("a ratio to nothing: %+v", got)
	}
}

func TestVerdict(t *testing.T) {
	cellOf := func(u unit, ours, theirs *series) *cell {
		return &cell{
			work:       &work{mode: &mode{name: "m", unit: u}},
			contenders: []*contender{{lib: &library{name: "solomq"}}, {lib: &library{name: reference}}},
			results:    []*series{ours, theirs},
		}
	}
	more := target{who: "solomq", must: 2, goal: 4}
	less := target{who: "solomq", must: 0.7, goal: 0.4, lower: true}
	above := target{who: "solomq", of: cpu, must: 1, goal: 0.5, lower: true, above: true}
	for name, test := range map[string]struct {
		t    target
		c    *cell
		want string
	}{
		"more, missed":  {more, cellOf(perSecond, seriesOf(10), seriesOf(10)), "no"},
		"more, met":     {more, cellOf(perSecond, seriesOf(20), seriesOf(10)), "must"},
		"more, goal":    {more, cellOf(perSecond, seriesOf(50), seriesOf(10)), "goal"},
		"less, missed":  {less, cellOf(microseconds, seriesOf(8), seriesOf(10)), "no"},
		"less, met":     {less, cellOf(microseconds, seriesOf(5), seriesOf(10)), "must"},
		"less, goal":    {less, cellOf(microseconds, seriesOf(4), seriesOf(10)), "goal"},
		"above, missed": {above, cellOf(milliseconds, seriesOf(6000), seriesOf(3000)), "no"},
		"above, met":    {above, cellOf(milliseconds, seriesOf(4800), seriesOf(3000)), "must"},
	} {
		v, ok := test.t.judge(test.c)
		if !ok || v.Met != test.want {
			t.Errorf("%s: %v %+v, want %q", name, ok, v, test.want)
		}
	}
	if v, ok := more.judge(cellOf(perSecond, seriesOf(none), seriesOf(1))); ok {
		t.Errorf("a verdict on nothing: %+v", v)
	}
}
