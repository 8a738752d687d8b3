package unique_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// A handClock goes, and rings, when the test says so.
type handClock struct {
	at   time.Time
	sets []time.Duration
}

func (c *handClock) Now() time.Time      { return c.at }
func (c *handClock) Set(d time.Duration) { c.sets = append(c.sets, d) }
func (c *handClock) Close()              { c.sets = append(c.sets, -1) }

func TestReliefDoesWhatLasts(t *testing.T) {
	const after = unique.ReliefAfter
	c := &handClock{at: time.Unix(0, 0)}
	r := unique.NewRelief(c)
	var did []string
	note := func(s string) func() { return func() { did = append(did, s) } }
	clock := func(want ...time.Duration) {
		t.Helper()
		require.Equal(t, want, c.sets)
		c.sets = nil
	}

	a := r.PutOff(note("a"))
	c.at = c.at.Add(after / 4)
	b := r.PutOff(note("b"))
	clock(after) // one for all
	require.True(t, a.TakeBack())
	require.False(t, a.TakeBack(), "taken back already")
	clock() // b is still wanting
	c.at = c.at.Add(after * 3 / 4)
	r.Ring()
	require.Empty(t, did, "b has time left")
	clock(after / 4)
	c.at = c.at.Add(after / 4)
	r.Ring()
	require.Equal(t, []string{"b"}, did)
	require.False(t, b.TakeBack(), "done")
	clock()

	require.True(t, r.PutOff(note("c")).TakeBack())
	clock(after, 0) // nothing is wanting: it is stopped

	d, e := r.PutOff(note("d")), r.PutOff(note("e"))
	d.Hasten()
	clock(after, 1)
	r.Ring()
	require.Equal(t, []string{"b", "d"}, did, "e is in no hurry")
	clock(after)
	d.Hasten()
	clock() // done

	r.Close()
	require.Equal(t, []string{"b", "d", "e"}, did, "the end does what is left")
	require.False(t, e.TakeBack())
	clock(-1)
	require.False(t, r.PutOff(note("f")).TakeBack(), "afterwards nothing is put off")
	require.Equal(t, []string{"b", "d", "e", "f"}, did)
	r.Close()
	clock() // a closed one is left alone
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
