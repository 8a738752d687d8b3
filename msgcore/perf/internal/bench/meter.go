package bench

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Meter counts the messages of one or several receivers in a window of time,
// which starts with the warm-up once each of them has its first message.
type Meter struct {
	args     *Args
	counters []Counter
	waiting  sync.WaitGroup
	early    atomic.Int64
	lost     atomic.Int64
}

// A Counter counts for one receiving goroutine, which alone may call Add.
type Counter struct {
	meter     *Meter
	n         int
	every     int // how often n is published: each store costs as much as receiving a small message
	next      int
	published atomic.Int64
	_         [64]byte // keeps the counters of two receivers out of one cache line
}

// NewMeter returns a meter with a counter for each of n receivers. When the window
// is over it tells the result and ends the process.
func NewMeter(a *Args, n int) *Meter {
	m := &Meter{args: a, counters: make([]Counter, n)}
	m.waiting.Add(n)
	every := 1
	if a.Size < 4096 {
		every = 16
	}
	for i := range m.counters {
		m.counters[i] = Counter{meter: m, every: every, next: 1}
	}
	go m.measure()
	return m
}

// Counter returns the counter of receiver i.
func (m *Meter) Counter(i int) *Counter { return &m.counters[i] }

// Early notes k messages that came before counting could begin.
func (m *Meter) Early(k int) { m.early.Add(int64(k)) }

// Lost notes k messages that never came.
func (m *Meter) Lost(k int) { m.lost.Add(int64(k)) }

// Add counts k more messages.
func (c *Counter) Add(k int) {
	c.n += k
	if c.n >= c.next {
		c.publish()
	}
}

func (c *Counter) publish() {
	if c.published.Swap(int64(c.n)) == 0 {
		c.meter.waiting.Done()
	}
	c.next = c.n + c.every
}

func (m *Meter) measure() {
	m.waiting.Wait()
	time.Sleep(m.args.WarmUp())
	from, lost, begin := m.sum(), m.lost.Load(), time.Now()
	time.Sleep(m.args.Time)
	to, elapsed := m.sum(), time.Since(begin)
	Result(
		Value{"messages", float64(to - from)},
		Value{"seconds", elapsed.Seconds()},
		Value{"total", float64(to + m.early.Load())},
		Value{"lost", float64(m.lost.Load() - lost)},
	)
}

func (m *Meter) sum() int64 {
	var n int64
	for i := range m.counters {
		n += m.counters[i].published.Load()
	}
	return n
}
