package transport

import (
	"fmt"
	"slices"
	"sync"
)

var registry = struct {
	sync.RWMutex
	byScheme map[string]Transport // guarded by RWMutex
}{byScheme: map[string]Transport{}}

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
	if old, taken := registry.byScheme[scheme]; taken {
		panic(fmt.Sprintf("transport: Register called twice for %q, by %T and %T", scheme, old, t))
	}
	registry.byScheme[scheme] = t
}

// Lookup returns the Transport registered for scheme.
func Lookup(scheme string) (Transport, bool) {
	registry.RLock()
	defer registry.RUnlock()
	t, ok := registry.byScheme[scheme]
	return t, ok
}

// Schemes returns the registered schemes, sorted.
func Schemes() []string {
	registry.RLock()
	defer registry.RUnlock()
	list := make([]string, 0, len(registry.byScheme))
	for scheme := range registry.byScheme {
		list = append(list, scheme)
	}
	slices.Sort(list)
	return list
}
