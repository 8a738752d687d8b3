package unique_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// A handClock rings when the test says so.
type handClock struct{ at []time.Duration }

func (c *handClock) Set(d time.Duration) { c.at = append(c.at, d) }
func (c *handClock) Close()              { c.at = append(c.at, -1) }

func TestReliefDoesWhatLasts(t *testing.T) {
	c := &handClock{}
	r := unique.NewRelief(c)
	var did []string
	note := func(s string) func() { return func() { did = append(did, s) } }

	a := r.PutOff(note("a"))
	b := r.PutOff(note("b"))
	require.Equal(t, []time.Duration{unique.ReliefAfter}, c.at, "one clock for all")
	require.True(t, a.TakeBack())
	require.False(t, a.TakeBack(), "taken back already")
	require.Len(t, c.at, 1, "b is still wanting")
	r.Ring()
	require.Equal(t, []string{"b"}, did)
	require.False(t, b.TakeBack(), "done")

	c.at = nil
	require.True(t, r.PutOff(note("c")).TakeBack())
	require.Equal(t, []time.Duration{unique.ReliefAfter, 0}, c.at, "nothing is wanting: the clock is stopped")

	d := r.PutOff(note("d"))
	r.Close()
	require.Equal(t, []string{"b", "d"}, did, "the end does what is left")
	require.False(t, d.TakeBack())
	require.EqualValues(t, -1, c.at[len(c.at)-1])
	sets := len(c.at)
	require.False(t, r.PutOff(note("e")).TakeBack(), "afterwards nothing is put off")
	require.Equal(t, []string{"b", "d", "e"}, did)
	r.Close()
	require.Len(t, c.at, sets, "a closed clock is left alone")
}

// Each duty is done or taken back, and never both.
func TestReliefDoesOnce(t *testing.T) {
	var begun sync.WaitGroup
	r := unique.StartRelief(begun.Go)
	var did, back atomic.Int64
	var wg sync.WaitGroup
	const each, many = 50, 20
	for range many {
		wg.Go(func() {
			for range each {
				rang := make(chan struct{})
				d := r.PutOff(func() { did.Add(1); close(rang) })
				e := r.PutOff(func() { did.Add(1) })
				if e.TakeBack() {
					back.Add(1)
				}
				if e.TakeBack() {
					back.Add(1)
				}
				<-rang // by the clock
				if d.TakeBack() {
					back.Add(1)
				}
			}
		})
	}
	wg.Wait()
	r.Close()
	begun.Wait()
	require.EqualValues(t, 2*each*many, did.Load()+back.Load())
	require.GreaterOrEqual(t, did.Load(), int64(each*many))
}
