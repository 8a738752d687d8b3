package main

import (
	"context"
	"fmt"
	"time"
)

// rounds measures all cells again and again, and returns how many rounds are
// complete. Within a cell, each round measures every contender once, each round
// beginning with another one. The rounds are the outer loop, so that what is
// measured of a cell comes from all of the run, and so that every cell has about
// the same number of samples if the run ends early.
func rounds(ctx context.Context, b *bed, cells []*cell, n int, until time.Time, p *progress) int {
	total := 0
	for _, c := range cells {
		total += len(c.contenders)
	}
	p.begin(total * n)
	for round := range n {
		for i, c := range cells {
			for k := range c.contenders {
				if ctx.Err() != nil || time.Now().After(until) {
					return round
				}
				x := (k + round + i) % len(c.contenders)
				measureOnce(ctx, b, c, x, round, p)
			}
		}
	}
	return n
}

func measureOnce(ctx context.Context, b *bed, c *cell, x, round int, p *progress) {
	who, s := c.contenders[x], c.results[x]
	for len(s.samples) < round { // what is missing from earlier rounds
		s.samples = append(s.samples, nil)
	}
	if len(s.failures) >= maxFailures {
		p.step(round, c.work, who, "not tried again")
		return
	}
	got, err := c.work.mode.measure(ctx, b, c.work, who)
	if ctx.Err() != nil {
		return // it is the interruption that failed
	}
	if err != nil {
		s.samples = append(s.samples, nil)
		s.failures = append(s.failures, fmt.Sprintf("round %d: %v", round+1, err))
		p.fail(round, c.work, who, err)
		return
	}
	s.samples = append(s.samples, &got)
	p.step(round, c.work, who, c.work.mode.unit.format(got.value)+" "+c.work.mode.unit.name)
}
