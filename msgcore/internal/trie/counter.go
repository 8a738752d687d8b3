package trie

// A Counter counts how often prefixes are subscribed to. The zero value is empty
// and ready. It must not be copied once used, and is not safe for concurrent use:
// its owner locks. Several goroutines may call Match, All and Len while nobody
// changes it.
type Counter struct {
	root node[int]
	n    int // prefixes
}

// Add counts prefix once more. first reports that it was not there before.
func (c *Counter) Add(prefix []byte) (first bool) {
	n := c.root.insert(prefix)
	n.payload++
	if n.payload > 1 {
		return false
	}
	c.n++
	return true
}

// Remove takes back one Add of prefix. had reports that there was one, last that no
// other is left.
func (c *Counter) Remove(prefix []byte) (had, last bool) {
	n := c.root.find(prefix)
	if n == nil {
		return false, false
	}
	n.payload--
	if n.payload > 0 {
		return true, false
	}
	n.release()
	c.n--
	return true, true
}

// Match reports whether a prefix of topic is there. It does not allocate.
func (c *Counter) Match(topic []byte) bool {
	for n := &c.root; n != nil; n, topic = n.next(topic) {
		if n.used {
			return true
		}
	}
	return false
}

// All calls yield with each prefix, once whatever its count, in no order. The prefix
// is yield's for the call; yield must not change c.
func (c *Counter) All(yield func(prefix []byte)) {
	c.root.walk(nil, func(prefix []byte, _ *node[int]) { yield(prefix) })
}

// Len returns how many different prefixes there are.
func (c *Counter) Len() int { return c.n }
