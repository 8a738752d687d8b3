package trie

import "bytes"

// A node is one node of a radix tree: a tree of byte strings in which every node
// below the root either is the end of a string in use or branches. P is what hangs
// on a string.
//
// A node in use keeps its address, whatever is added and removed around it, so that
// a pointer to it is a handle of its string.
type node[P any] struct {
	parent   *node[P] // nil at the root
	label    []byte   // what the string has beyond the parent's; empty at the root only
	keys     []byte   // keys[i] is children[i].label[0]; in no order
	children []*node[P]
	used     bool // a string in use ends here
	payload  P
}

// child returns the child for strings that go on with c, or nil. A search through
// at most 256 bytes beats any cleverer index, for the processor does 32 at a time.
func (n *node[P]) child(c byte) *node[P] {
	if i := bytes.IndexByte(n.keys, c); i >= 0 {
		return n.children[i]
	}
	return nil
}

// next returns the node that follows n on the way down along s, and what is left
// of s there; nil if no string goes on along s.
func (n *node[P]) next(s []byte) (*node[P], []byte) {
	if len(s) == 0 {
		return nil, nil
	}
	n = n.child(s[0])
	if n == nil || len(s) < len(n.label) || string(s[:len(n.label)]) != string(n.label) {
		return nil, nil
	}
	return n, s[len(n.label):]
}

// find returns the node of s in the tree of root n, or nil if s is not in use.
func (n *node[P]) find(s []byte) *node[P] {
	for len(s) > 0 {
		if n, s = n.next(s); n == nil {
			return nil
		}
	}
	if !n.used {
		return nil
	}
	return n
}

// insert returns the node of s in the tree of root n, in use from now on.
func (n *node[P]) insert(s []byte) *node[P] {
	for len(s) > 0 {
		down := n.child(s[0])
		if down == nil {
			down = &node[P]{label: bytes.Clone(s)}
			n.adopt(down)
			n = down
			break
		}
		k := common(s, down.label)
		if k < len(down.label) {
			down = down.split(k)
		}
		n, s = down, s[k:]
	}
	n.used = true
	return n
}

// split puts a new node in front of n, which takes the first k bytes of its label.
func (n *node[P]) split(k int) *node[P] {
	front := &node[P]{label: n.label[:k:k]}
	n.parent.replace(n, front)
	n.label = n.label[k:]
	front.adopt(n)
	return front
}

// release takes n out of use and the tree's nodes without a purpose out of it.
func (n *node[P]) release() {
	var zero P
	n.payload, n.used = zero, false
	if n.parent == nil {
		return
	}
	switch len(n.children) {
	case 0:
		up := n.parent
		up.abandon(n)
		if up.parent != nil && !up.used && len(up.children) == 1 {
			up.join()
		}
	case 1:
		n.join()
	}
}

// join gives n's label and place to its only child.
func (n *node[P]) join() {
	child := n.children[0]
	// A slice of its own, which holds on to nothing that was longer.
	label := make([]byte, 0, len(n.label)+len(child.label))
	child.label = append(append(label, n.label...), child.label...)
	n.parent.replace(n, child)
}

func (n *node[P]) adopt(child *node[P]) {
	child.parent = n
	n.keys = append(n.keys, child.label[0])
	n.children = append(n.children, child)
}

// replace puts a child in the place of old; their strings start alike.
func (n *node[P]) replace(old, child *node[P]) {
	child.parent = n
	n.children[bytes.IndexByte(n.keys, old.label[0])] = child
}

func (n *node[P]) abandon(child *node[P]) {
	i := bytes.IndexByte(n.keys, child.label[0])
	n.keys = removeAt(n.keys, i)
	n.children = removeAt(n.children, i)
}

// appendString appends the string of n to dst.
func (n *node[P]) appendString(dst []byte) []byte {
	size := 0
	for m := n; m != nil; m = m.parent {
		size += len(m.label)
	}
	start := len(dst)
	for range size {
		dst = append(dst, 0)
	}
	end := start + size
	for m := n; m != nil; m = m.parent {
		end -= len(m.label)
		copy(dst[end:], m.label)
	}
	return dst
}

// walk calls f for every node in use, with its string, which is f's for the call.
// dst is the string of n.
func (n *node[P]) walk(dst []byte, f func(s []byte, n *node[P])) []byte {
	if n.used {
		f(dst, n)
	}
	for _, child := range n.children {
		k := len(dst)
		dst = child.walk(append(dst, child.label...), f)[:k]
	}
	return dst
}

// common returns how many bytes a and b have in common at their start.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// removeAt removes s[i], filling its place with the last one, and gives memory
// back once three quarters of it are unused.
func removeAt[E any](s []E, i int) []E {
	last := len(s) - 1
	s[i] = s[last]
	clear(s[last:])
	s = s[:last]
	switch {
	case len(s) == 0:
		return nil
	case cap(s) >= 16 && len(s) <= cap(s)/4:
		return append(make([]E, 0, cap(s)/2), s...)
	}
	return s
}
