package trie_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/internal/trie"
)

func topic(i int) []byte {
	return fmt.Appendf(nil, "market/%d/instrument-%d/price", i%10, i)
}

// full returns a Trie with n subscriptions, one hundred to a value.
func full(n int) *trie.Trie[int] {
	t := new(trie.Trie[int])
	for i := range n {
		t.Add(topic(i), i/100)
	}
	return t
}

func TestMatchDoesNotAllocate(t *testing.T) {
	tr := full(1000)
	var c trie.Counter
	for i := range 1000 {
		c.Add(topic(i))
	}
	hit, miss := topic(77), []byte("market/7/instrument-77x")
	found := 0
	require.Zero(t, testing.AllocsPerRun(100, func() {
		tr.Match(hit, func(int) { found++ })
		tr.Match(miss, func(int) { found += 1000 })
		if !c.Match(hit) || c.Match(miss) {
			panic("wrong")
		}
	}))
	require.Equal(t, 101, found)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestMemoryIsFreedOnRemoval(t *testing.T) {
	const n = 20_000
	var c trie.Counter
	tr := new(trie.Trie[int])
	before := heap()
	for i := range n {
		tr.Add(topic(i), i/100)
		c.Add(topic(i))
	}
	during := heap()
	for i := range n {
		if i%2 == 0 {
			tr.Remove(topic(i), i/100)
		}
		c.Remove(topic(i))
	}
	for v := range n / 100 {
		tr.RemoveAll(v, nil)
	}
	after := heap()
	require.Zero(t, tr.Len()+c.Len())
	require.Greater(t, during, before+n*50, "or there was nothing to free")
	require.Less(t, after, before+(during-before)/20)
	runtime.KeepAlive(tr)
	runtime.KeepAlive(&c)
}

// matchCost returns how long a match takes among n subscriptions; the best of some
// rounds, because others use the machine, too.
func matchCost(n int) time.Duration {
	tr := full(n)
	topics := make([][]byte, 1024)
	for i := range topics {
		topics[i] = topic(i * 7919 % n)
	}
	found := 0
	count := func(int) { found++ }
	best := time.Duration(1<<63 - 1)
	for range 20 {
		began := time.Now()
		for _, t := range topics {
			tr.Match(t, count)
		}
		best = min(best, time.Since(began))
	}
	if found != 20*len(topics) {
		panic("wrong")
	}
	return best / time.Duration(len(topics))
}

// Matching costs as much as the topic is long: among 100,000 subscriptions little
// more than among ten, which is far below a microsecond.
func TestMatchingDoesNotGrow(t *testing.T) {
	few, many := matchCost(10), matchCost(100_000)
	t.Logf("%v among 10 subscriptions, %v among 100,000", few, many)
	require.Less(t, many, 50*max(few, 20*time.Nanosecond))
}

func BenchmarkTrieMatch(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tr := full(n)
			topics := make([][]byte, 1024)
			for i := range topics {
				topics[i] = topic(i * 7919 % n)
			}
			found := 0
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				tr.Match(topics[i&1023], func(int) { found++ })
				i++
			}
			if found != i {
				b.Fatalf("%d found of %d", found, i)
			}
		})
	}
}

func BenchmarkCounterMatch(b *testing.B) {
	var c trie.Counter
	for i := range 100_000 {
		c.Add(topic(i))
	}
	hit := topic(4711)
	b.ReportAllocs()
	for b.Loop() {
		if !c.Match(hit) {
			b.Fatal("not found")
		}
	}
}

func BenchmarkTrieAddRemove(b *testing.B) {
	tr := full(100_000)
	p := []byte("market/3/instrument-new/price")
	b.ReportAllocs()
	for b.Loop() {
		tr.Add(p, 1)
		tr.Remove(p, 1)
	}
}

// The cost of a leaving peer is that of its own prefixes, not of all.
func BenchmarkTrieRemoveAll(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tr := full(n)
			for b.Loop() {
				for i := range 10 {
					tr.Add(topic(i), -1)
				}
				tr.RemoveAll(-1, nil)
			}
		})
	}
}
