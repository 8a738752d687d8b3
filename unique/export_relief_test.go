package unique

import "time"

// A Relief is a relief.
type Relief struct{ r *relief }

// A HandClock is a clock of the test.
type HandClock interface {
	Set(d time.Duration)
	Close()
}

type handClock struct{ HandClock }

func (c handClock) set(d time.Duration) { c.Set(d) }
func (c handClock) close()              { c.Close() }

// ReliefAfter is how long something may be wanting.
const ReliefAfter = reliefAfter

// NewRelief returns one by the test's clock.
func NewRelief(c HandClock) Relief { return Relief{&relief{clock: handClock{c}}} }

// StartRelief returns one by the system's clock.
func StartRelief(start func(func())) Relief { return Relief{newRelief(start)} }

// A Duty is a duty.
type Duty struct{ d *duty }

func (r Relief) PutOff(f func()) Duty { return Duty{r.r.putOff(f)} }
func (r Relief) Ring()                { r.r.ring() }
func (r Relief) Close()               { r.r.close() }
func (d Duty) TakeBack() bool         { return d.d.takeBack() }
