// Package trie holds subscriptions: which values want messages that start with
// which prefixes.
//
// Trie is the publisher's side, Counter the subscriber's. Both are radix trees:
// a match costs a step for each branch along the topic, whatever the number of
// subscriptions, and memory follows what is subscribed to now.
package trie

// A Trie maps prefixes to sets of values. The zero value is empty and ready. It
// must not be copied once used, and is not safe for concurrent use: its owner
// locks. Several goroutines may call Match and Len while nobody changes it.
type Trie[V comparable] struct {
	root  node[[]V]
	where map[V]map[*node[[]V]]int // the prefixes of each value, and its place in their payload
	n     int                      // pairs of prefix and value
	used  int                      // prefixes
}

// Add adds v to prefix, once however often it is added. first reports that nobody
// held prefix before.
func (t *Trie[V]) Add(prefix []byte, v V) (first bool) {
	n := t.root.insert(prefix)
	held := t.where[v]
	if _, twice := held[n]; twice {
		return false
	}
	if held == nil {
		if t.where == nil {
			t.where = make(map[V]map[*node[[]V]]int)
		}
		held = make(map[*node[[]V]]int)
		t.where[v] = held
	}
	held[n] = len(n.payload)
	n.payload = append(n.payload, v)
	t.n++
	if len(n.payload) > 1 {
		return false
	}
	t.used++
	return true
}

// Remove removes v from prefix. had reports that it was there, last that nobody
// holds prefix any more because of it.
func (t *Trie[V]) Remove(prefix []byte, v V) (had, last bool) {
	n := t.root.find(prefix)
	if n == nil {
		return false, false
	}
	held := t.where[v]
	if _, had = held[n]; !had {
		return false, false
	}
	last = t.drop(n, v, held)
	if len(held) == 0 {
		t.forget(v)
	}
	return true, last
}

// RemoveAll removes v from all of its prefixes, at a cost that depends on these
// alone. It calls gone, unless nil, with each of them, in no order; last says that
// nobody holds it any more. The prefix is gone's for the call; gone must not use t.
func (t *Trie[V]) RemoveAll(v V, gone func(prefix []byte, last bool)) {
	held := t.where[v]
	var buf []byte
	for n := range held {
		buf = n.appendString(buf[:0])
		if last := t.drop(n, v, held); gone != nil {
			gone(buf, last)
		}
	}
	t.forget(v)
}

// Match calls yield with every value that holds a prefix of topic, once for each
// such prefix, from the shortest to the longest. It does not allocate. yield must
// not change t.
func (t *Trie[V]) Match(topic []byte, yield func(V)) {
	for n := &t.root; n != nil; n, topic = n.next(topic) {
		for _, v := range n.payload {
			yield(v)
		}
	}
}

// Everywhere returns the values that hold the empty prefix, and whether no other
// prefix is held, so that these are what matches any topic. The slice is the
// trie's, and good until that is changed.
func (t *Trie[V]) Everywhere() (values []V, only bool) {
	return t.root.payload, len(t.root.children) == 0
}

// Len returns how many pairs of a prefix and a value there are.
func (t *Trie[V]) Len() int { return t.n }

// Prefixes returns how many different prefixes are held.
func (t *Trie[V]) Prefixes() int { return t.used }

// drop removes v, whose prefixes are held, from n, and n from the tree if v was its
// last value.
func (t *Trie[V]) drop(n *node[[]V], v V, held map[*node[[]V]]int) (last bool) {
	i := held[n]
	delete(held, n)
	moved := n.payload[len(n.payload)-1]
	n.payload = removeAt(n.payload, i)
	if moved != v {
		t.where[moved][n] = i
	}
	t.n--
	if len(n.payload) > 0 {
		return false
	}
	t.used--
	n.release()
	return true
}

// forget drops what is kept for v. The last one takes the map along, since maps do
// not shrink.
func (t *Trie[V]) forget(v V) {
	delete(t.where, v)
	if len(t.where) == 0 {
		t.where = nil
	}
}
