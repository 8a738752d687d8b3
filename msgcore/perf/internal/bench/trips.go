package bench

import (
	"slices"
	"sync"
	"time"
)

// trips are the round trips of one requester.
type trips struct {
	took  []time.Duration // those that count
	total int             // with those of the warm-up
	begin time.Time       // of what counts
	err   error
}

// RoundTrips calls trip again and again, times each call, tells the result and
// ends the process.
func RoundTrips(a *Args, trip func() error) error {
	return RoundTripsAtOnce(a, 1, func(int) error { return trip() })
}

// RoundTripsAtOnce is RoundTrips of n requesters at once.
func RoundTripsAtOnce(a *Args, n int, trip func(i int) error) error {
	all := make([]trips, n)
	var done sync.WaitGroup
	for i := range all {
		done.Go(func() { all[i].make(a, func() error { return trip(i) }) })
	}
	done.Wait()
	elapsed := time.Since(all[0].begin)
	var took []time.Duration
	total := 0
	for _, t := range all {
		if t.err != nil {
			return t.err
		}
		took, total = append(took, t.took...), total+t.total
	}
	tell(took, total, elapsed)
	return nil
}

// make makes the round trips of one requester. The end of one is the begin of the
// next, so that the clock is read once for each.
func (t *trips) make(a *Args, trip func() error) {
	for start := time.Now(); t.total == 0 || time.Since(start) < a.WarmUp(); t.total++ {
		if t.err = trip(); t.err != nil {
			return
		}
	}
	t.took = make([]time.Duration, 0, 1<<12)
	t.begin = time.Now()
	for last := time.Duration(0); last < a.Time; t.total++ {
		if t.err = trip(); t.err != nil {
			return
		}
		now := time.Since(t.begin)
		t.took = append(t.took, now-last)
		last = now
	}
}

func tell(took []time.Duration, total int, elapsed time.Duration) {
	slices.Sort(took)
	quantile := func(q float64) float64 {
		return float64(took[int(q*float64(len(took)-1))]) / float64(time.Microsecond)
	}
	Result(
		Value{"p10", quantile(0.1)},
		Value{"p50", quantile(0.5)},
		Value{"p90", quantile(0.9)},
		Value{"p99", quantile(0.99)},
		Value{"messages", float64(len(took))},
		Value{"seconds", elapsed.Seconds()},
		Value{"total", float64(total)},
	)
}
