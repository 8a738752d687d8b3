package trie_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/msgcore/internal/trie"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// matches returns the values that Match yields, sorted.
func matches(t *trie.Trie[int], topic string) []int {
	var got []int
	t.Match([]byte(topic), func(v int) { got = append(got, v) })
	slices.Sort(got)
	return got
}

func TestTrieAddFirstRemoveLast(t *testing.T) {
	var tr trie.Trie[int]
	require.True(t, tr.Add([]byte("weather"), 1))
	require.False(t, tr.Add([]byte("weather"), 2))
	require.False(t, tr.Add([]byte("weather"), 2), "the same pair twice")
	require.True(t, tr.Add([]byte("weather.uk"), 2))
	require.True(t, tr.Add([]byte("we"), 3), "splits an edge")
	require.Equal(t, 4, tr.Len())
	require.Equal(t, []int{1, 2, 2, 3}, matches(&tr, "weather.uk.london"))
	require.Equal(t, []int{1, 2, 3}, matches(&tr, "weather"))
	require.Equal(t, []int{3}, matches(&tr, "wea"))
	require.Empty(t, matches(&tr, "w"))
	require.Empty(t, matches(&tr, ""))

	had, last := tr.Remove([]byte("weather"), 2)
	require.True(t, had)
	require.False(t, last, "1 still holds it")
	had, last = tr.Remove([]byte("weather"), 2)
	require.False(t, had, "counted once, so removed at once")
	require.False(t, last)
	had, _ = tr.Remove([]byte("weath"), 1)
	require.False(t, had, "in the middle of an edge")
	had, _ = tr.Remove([]byte("weather.uk.london"), 2)
	require.False(t, had, "beyond a leaf")
	had, last = tr.Remove([]byte("weather"), 1)
	require.True(t, had)
	require.True(t, last)
	require.Equal(t, []int{2, 3}, matches(&tr, "weather.uk"))
}

func TestTrieEmptyPrefixMatchesEverything(t *testing.T) {
	var tr trie.Trie[int]
	require.Empty(t, matches(&tr, "x"))
	require.True(t, tr.Add(nil, 1))
	require.Equal(t, []int{1}, matches(&tr, ""))
	require.Equal(t, []int{1}, matches(&tr, "x"))
	had, last := tr.Remove([]byte{}, 1)
	require.True(t, had && last)
	require.Empty(t, matches(&tr, "x"))
	require.Zero(t, tr.Len())
}

func TestTrieKeepsNoSliceOfItsCaller(t *testing.T) {
	var tr trie.Trie[int]
	b := []byte("abc")
	tr.Add(b, 1)
	copy(b, "xyz")
	require.Equal(t, []int{1}, matches(&tr, "abc"))
	require.Empty(t, matches(&tr, "xyz"))
}

func TestTrieRemoveAllTellsWhatIsGone(t *testing.T) {
	var tr trie.Trie[int]
	for _, p := range []string{"", "a", "ab", "abc", "b", "bcd", "bce"} {
		tr.Add([]byte(p), 1)
	}
	tr.Add([]byte("ab"), 2)
	tr.Add([]byte("bce"), 2)
	require.Equal(t, 7, tr.Prefixes())
	var gone, held []string
	tr.RemoveAll(1, func(p []byte, last bool) {
		if last {
			gone = append(gone, string(p))
		} else {
			held = append(held, string(p))
		}
	})
	sort.Strings(gone)
	require.Equal(t, []string{"", "a", "abc", "b", "bcd"}, gone)
	require.ElementsMatch(t, []string{"ab", "bce"}, held)
	require.Equal(t, 2, tr.Prefixes())
	require.Equal(t, 2, tr.Len())
	require.Equal(t, []int{2}, matches(&tr, "abc"))
	require.Equal(t, []int{2}, matches(&tr, "bce"))
	tr.RemoveAll(1, func([]byte, bool) { t.Error("1 has left already") })
	tr.RemoveAll(2, nil)
	require.Zero(t, tr.Len())
}

// naive is what a Trie must do, without any cleverness.
type naive map[string]map[int]bool

func (m naive) match(topic string) (got []int) {
	for p, values := range m {
		if strings.HasPrefix(topic, p) {
			for v := range values {
				got = append(got, v)
			}
		}
	}
	slices.Sort(got)
	return got
}

func (m naive) remove(p string, v int) (had, last bool) {
	if !m[p][v] {
		return false, false
	}
	delete(m[p], v)
	if len(m[p]) > 0 {
		return true, false
	}
	delete(m, p)
	return true, true
}

// play runs a script against a Trie, a Counter and their models, and fails at the
// first difference. A step is a byte for what to do and whom it concerns, a byte for
// a length, and so many bytes of prefix.
func play(t testing.TB, script []byte) {
	var (
		tr      trie.Trie[int]
		model   = naive{}
		pairs   int
		counter trie.Counter
		counts  = map[string]int{}
	)
	for step := 0; len(script) >= 2; step++ {
		op, v, n := script[0]&7, int(script[0]>>3), min(int(script[1]), len(script)-2)
		p := script[2 : 2+n]
		script = script[2+n:]
		what := fmt.Sprintf("step %d: op %d, prefix %q, value %d", step, op, p, v)
		switch op {
		case 0, 1, 2:
			first := len(model[string(p)]) == 0
			if first {
				model[string(p)] = map[int]bool{}
			}
			if !model[string(p)][v] {
				pairs++
			}
			model[string(p)][v] = true
			require.Equal(t, first, tr.Add(p, v), what)
			counts[string(p)]++
			require.Equal(t, counts[string(p)] == 1, counter.Add(p), what)
		case 3, 4:
			had, last := tr.Remove(p, v)
			wantHad, wantLast := model.remove(string(p), v)
			require.Equal(t, [2]bool{wantHad, wantLast}, [2]bool{had, last}, what)
			if had {
				pairs--
			}
			had, last = counter.Remove(p)
			require.Equal(t, [2]bool{counts[string(p)] > 0, counts[string(p)] == 1}, [2]bool{had, last}, what)
			if had {
				counts[string(p)]--
			}
			if last {
				delete(counts, string(p))
			}
		case 5:
			var gone, want []string
			for p := range model {
				had, last := model.remove(p, v)
				if had {
					pairs--
				}
				if last {
					want = append(want, p)
				}
			}
			tr.RemoveAll(v, func(p []byte, last bool) {
				if last {
					gone = append(gone, string(p))
				}
			})
			require.ElementsMatch(t, want, gone, what)
		default:
			require.Equal(t, model.match(string(p)), matches(&tr, string(p)), what)
			want := false
			for q := range counts {
				want = want || strings.HasPrefix(string(p), q)
			}
			require.Equal(t, want, counter.Match(p), what)
		}
		require.Equal(t, pairs, tr.Len(), what)
		require.Equal(t, len(model), tr.Prefixes(), what)
		require.Equal(t, len(counts), counter.Len(), what)
		require.NoError(t, tr.Check(), what)
		require.NoError(t, counter.Check(), what)
	}
	for p := range model {
		require.Equal(t, model.match(p), matches(&tr, p))
	}
	var all, want []string
	counter.All(func(p []byte) { all = append(all, string(p)) })
	for p := range counts {
		want = append(want, p)
	}
	require.ElementsMatch(t, want, all)
}

// script makes a script of so many steps, with prefixes of few letters, so that
// they share much.
func script(r *rand.Rand, steps int) []byte {
	var b []byte
	for range steps {
		b = append(b, byte(r.IntN(256)))
		n := r.IntN(7)
		b = append(b, byte(n))
		for range n {
			b = append(b, "abc"[r.IntN(3)])
		}
	}
	return b
}

func TestAgainstModel(t *testing.T) {
	for seed := range uint64(60) {
		play(t, script(rand.New(rand.NewPCG(seed, 1)), 500))
	}
}

// Nodes with many children and prefixes with many values grow and shrink.
func TestWideNodes(t *testing.T) {
	var tr trie.Trie[int]
	for round := range 2 {
		for c := range 256 {
			for v := range 20 {
				tr.Add([]byte{byte(c), 'x'}, v)
			}
		}
		require.NoError(t, tr.Check())
		for c := range 256 {
			require.Len(t, matches(&tr, string([]byte{byte(c), 'x', 'y'})), 20)
			for v := range 20 {
				if round == 0 {
					tr.Remove([]byte{byte(c), 'x'}, v)
				}
			}
			require.NoError(t, tr.Check())
		}
		for v := range 20 {
			tr.RemoveAll(v, nil)
			require.NoError(t, tr.Check())
		}
		require.Zero(t, tr.Len())
	}
}

func FuzzTrie(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(script(rand.New(rand.NewPCG(seed, 2)), 40))
	}
	f.Add([]byte{0, 0, 0, 3, 'a', 'b', 'c', 0, 2, 'a', 'b', 5, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4<<10 {
			t.Skip("the models are slow")
		}
		play(t, b)
	})
}

func TestCounterCounts(t *testing.T) {
	var c trie.Counter
	require.False(t, c.Match(nil))
	require.True(t, c.Add([]byte("a")))
	require.False(t, c.Add([]byte("a")))
	require.Equal(t, 1, c.Len())
	require.True(t, c.Match([]byte("ab")))
	require.False(t, c.Match([]byte("b")))
	had, last := c.Remove([]byte("a"))
	require.True(t, had)
	require.False(t, last)
	had, last = c.Remove([]byte("a"))
	require.True(t, had && last)
	had, last = c.Remove([]byte("a"))
	require.False(t, had || last)
	require.Zero(t, c.Len())
	require.False(t, c.Match([]byte("ab")))
}

func TestCounterAllGivesEachOnce(t *testing.T) {
	var c trie.Counter
	want := []string{"", "a", "ab", "b", "ba", "\x00\xff"}
	for _, p := range append(want, "a", "ba") {
		c.Add([]byte(p))
	}
	var got []string
	c.All(func(p []byte) { got = append(got, string(bytes.Clone(p))) })
	require.ElementsMatch(t, want, got)
}
