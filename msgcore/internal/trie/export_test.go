package trie

import "fmt"

// Check reports what is wrong with the structure of t, which no answer of t shows:
// it would only cost memory or time.
func (t *Trie[V]) Check() error {
	pairs := 0
	err := t.root.check(func(n *node[[]V]) error {
		pairs += len(n.payload)
		if n.used != (len(n.payload) > 0) {
			return fmt.Errorf("used %t with %d values", n.used, len(n.payload))
		}
		for i, v := range n.payload {
			if at, ok := t.where[v][n]; !ok || at != i {
				return fmt.Errorf("value %v is at %d, thought to be at %d", v, i, at)
			}
		}
		return roomy(n.payload)
	})
	if err != nil {
		return err
	}
	held := 0
	for v, nodes := range t.where {
		if len(nodes) == 0 {
			return fmt.Errorf("value %v is known and has no prefix", v)
		}
		held += len(nodes)
	}
	if pairs != t.n || held != t.n {
		return fmt.Errorf("%d pairs counted, %d in the tree, %d by value", t.n, pairs, held)
	}
	if t.n == 0 && t.where != nil {
		return fmt.Errorf("the empty trie keeps a map")
	}
	return nil
}

// Check is Trie.Check.
func (c *Counter) Check() error {
	prefixes := 0
	err := c.root.check(func(n *node[int]) error {
		if n.used {
			prefixes++
		}
		if n.used != (n.payload > 0) {
			return fmt.Errorf("used %t with count %d", n.used, n.payload)
		}
		return nil
	})
	if err == nil && prefixes != c.n {
		err = fmt.Errorf("%d prefixes counted, %d in the tree", c.n, prefixes)
	}
	return err
}

func (n *node[P]) check(own func(*node[P]) error) error {
	if n.parent != nil && !n.used && len(n.children) < 2 {
		return fmt.Errorf("node %q has no purpose", n.appendString(nil))
	}
	if len(n.keys) != len(n.children) {
		return fmt.Errorf("node %q has %d keys for %d children", n.appendString(nil), len(n.keys), len(n.children))
	}
	if err := roomy(n.children); err != nil {
		return err
	}
	for _, gone := range n.children[len(n.children):cap(n.children)] {
		if gone != nil {
			return fmt.Errorf("node %q holds on to a child that left", n.appendString(nil))
		}
	}
	for i, child := range n.children {
		if child.parent != n || len(child.label) == 0 || child.label[0] != n.keys[i] {
			return fmt.Errorf("child %d of %q is not its own", i, n.appendString(nil))
		}
		if err := child.check(own); err != nil {
			return err
		}
	}
	return own(n)
}

// roomy reports a slice that shrank and kept its memory.
func roomy[E any](s []E) error {
	if cap(s) > 0 && len(s) == 0 || cap(s) >= 16 && len(s) <= cap(s)/4 {
		return fmt.Errorf("room for %d with %d in use", cap(s), len(s))
	}
	return nil
}
