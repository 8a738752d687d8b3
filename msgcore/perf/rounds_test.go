package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
)

// fakeCells returns a cell whose contenders a, b and c are measured by measure.
func fakeCells(measure func(c *contender) (sample, error)) []*cell {
	w := fakeWork(perSecond)
	w.mode.measure = func(_ context.Context, _ *bed, _ *work, c *contender) (sample, error) { return measure(c) }
	c := &cell{work: w}
	for _, name := range []string{"a", "b", "c"} {
		c.contenders = append(c.contenders, &contender{lib: &library{name: name}})
		c.results = append(c.results, &series{})
	}
	return []*cell{c}
}

func silent() *progress { return &progress{w: io.Discard} }

func TestRoundsTakeTurns(t *testing.T) {
	var order []string
	cells := fakeCells(func(c *contender) (sample, error) {
		order = append(order, c.lib.name)
		return sample{value: float64(len(order))}, nil
	})
	if n := rounds(t.Context(), nil, cells, 3, time.Now().Add(time.Hour), silent()); n != 3 {
		t.Fatalf("%d rounds, want 3", n)
	}
	if want := []string{"a", "b", "c", "b", "c", "a", "c", "a", "b"}; !slices.Equal(order, want) {
		t.Errorf("the order is %v, want %v", order, want)
	}
	if got := cells[0].of("a").values(value); !slices.Equal(got, []float64{1, 6, 8}) {
		t.Errorf("a has %v, want what it reached in each round", got)
	}
}

func TestFailingContenderIsGivenUp(t *testing.T) {
	tries := 0
	cells := fakeCells(func(c *contender) (sample, error) {
		if c.lib.name == "b" {
			tries++
			return sample{}, errors.New("no")
		}
		return sample{value: 1}, nil
	})
	rounds(t.Context(), nil, cells, 5, time.Now().Add(time.Hour), silent())
	if s := cells[0].of("b"); tries != maxFailures || len(s.failures) != maxFailures {
		t.Errorf("%d tries and %d failures, want %d", tries, len(s.failures), maxFailures)
	}
	if n := summarize(cells[0].of("a").values(value)).N; n != 5 {
		t.Errorf("the others have %d samples, want 5", n)
	}
}

// A sample that is missing must not shift the later ones into another round.
func TestFailureKeepsItsRound(t *testing.T) {
	round := 0
	cells := fakeCells(func(c *contender) (sample, error) {
		if c.lib.name != "a" {
			return sample{value: 1}, nil
		}
		if round++; round == 2 {
			return sample{}, errors.New("no")
		}
		return sample{value: float64(round)}, nil
	})
	rounds(t.Context(), nil, cells, 3, time.Now().Add(time.Hour), silent())
	s := cells[0].of("a").samples
	if len(s) != 3 || s[0].value != 1 || s[1] != nil || s[2].value != 3 {
		t.Errorf("the samples are %v", s)
	}
}

func TestBudgetEndsTheRun(t *testing.T) {
	cells := fakeCells(func(*contender) (sample, error) { return sample{value: 1}, nil })
	if n := rounds(t.Context(), nil, cells, 3, time.Now().Add(-time.Second), silent()); n != 0 {
		t.Errorf("%d rounds after the end of the budget", n)
	}
}

func TestInterruptionIsNobodysFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cells := fakeCells(func(*contender) (sample, error) {
		cancel()
		return sample{}, errLate
	})
	if n := rounds(ctx, nil, cells, 3, time.Now().Add(time.Hour), silent()); n != 0 {
		t.Errorf("%d rounds complete", n)
	}
	if f := cells[0].of("a").failures; len(f) > 0 {
		t.Errorf("failures: %v", f)
	}
}
