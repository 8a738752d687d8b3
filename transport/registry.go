package transport

import (
	"fmt"
	"slices"
	"sync"
)

// registry has few entries, which programs make at each start: a list in memory that
// is there already costs them nothing, where the first entries of a map do.
var registry struct {
	sync.RWMutex
	list  []registered // guarded by RWMutex
	first [8]registered
}

type registered struct {
	scheme string
	t      Transport
}

// Register makes t the Transport of every endpoint with the given scheme. It
// is meant for init functions and panics if the scheme is malformed or taken,
// or if t is nil: these are errors of the program, not of its input.
func Register(scheme string, t Transport) {
	switch {
	case !validScheme(scheme):
		panic(fmt.Sprintf("transport: Register of the malformed scheme %q", scheme))
	case t == nil:
		panic(fmt.Sprintf("transport: Register of a nil Transport for %q", scheme))
	}
	registry.Lock()
	defer registry.Unlock()
	if old, taken := find(scheme); taken {
		panic(fmt.Sprintf("transport: Register called twice for %q, by %T and %T", scheme, old, t))
	}
	if registry.list == nil {
		registry.list = registry.first[:0]
	}
	registry.list = append(registry.list, registered{scheme, t})
}

// Lookup returns the Transport registered for scheme.
func Lookup(scheme string) (Transport, bool) {
	registry.RLock()
	defer registry.RUnlock()
	return find(scheme)
}

// find is Lookup under the lock.
func find(scheme string) (Transport, bool) {
	for i := range registry.list {
		if r := &registry.list[i]; r.scheme == scheme {
			return r.t, true
		}
	}
	return nil, false
}

// Schemes returns the registered schemes, sorted.
func Schemes() []string {
	registry.RLock()
	defer registry.RUnlock()
	list := make([]string, 0, len(registry.list))
	for _, r := range registry.list {
		list = append(list, r.scheme)
	}
	slices.Sort(list)
	return list
}
