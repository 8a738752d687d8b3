package inproc

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/solomq/solomq/transport"
)

// A table maps names to who has them.
type table struct {
	mu      sync.Mutex
	bound   map[string]*binding // guarded by mu
	wanted  map[string]*want    // guarded by mu; names that somebody waits for
	counter uint64              // guarded by mu; of wildcards
}

// A binding is the holder of a name: one of its fields is set.
type binding struct {
	listener *listener
	accept   func(offer any) error
}

// A want is a name that n goroutines wait for; claimed is closed when somebody
// claims it.
type want struct {
	n       int // guarded by table.mu
	claimed chan struct{}
}

// process is the Space that is used when Options names none.
var process transport.Space

// tableKey is where a Space keeps its table.
type tableKey struct{}

func tableOf(opts *transport.Options) *table {
	space := &process
	if opts != nil && opts.Space != nil {
		space = opts.Space
	}
	if t, ok := space.Names.Load(tableKey{}); ok {
		return t.(*table)
	}
	t, _ := space.Names.LoadOrStore(tableKey{}, &table{
		bound:  map[string]*binding{},
		wanted: map[string]*want{},
	})
	return t.(*table)
}

// checkDial judges a name that is to be found.
func checkDial(name string) error {
	switch name {
	case "":
		return errors.New("the name is empty")
	case "*":
		return errors.New("the wildcard \"*\" can be listened on, not dialed")
	}
	return nil
}

// claim gives name, or a fresh one for "*", to b and returns it.
func (t *table) claim(name string, b *binding) (string, error) {
	if name == "" {
		return "", errors.New("the name is empty")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if name == "*" {
		for taken := true; taken; _, taken = t.bound[name] {
			t.counter++
			name = "*" + strconv.FormatUint(t.counter, 10)
		}
	}
	if _, taken := t.bound[name]; taken {
		return "", errInUse
	}
	t.bound[name] = b
	if w := t.wanted[name]; w != nil {
		close(w.claimed)
		delete(t.wanted, name)
	}
	return name, nil
}

// release takes name from b, unless it is another's by now.
func (t *table) release(name string, b *binding) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bound[name] == b {
		delete(t.bound, name)
	}
}

// find calls use with the holder of name, waiting for one until ctx ends. use
// runs with the table locked, so that the holder cannot leave meanwhile.
func (t *table) find(ctx context.Context, name string, use func(*binding) error) error {
	if err := checkDial(name); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		w, err := t.lookup(name, use)
		if w == nil {
			return err
		}
		select {
		case <-w.claimed:
		case <-ctx.Done():
			t.forget(name, w)
			return ctx.Err()
		}
	}
}

// lookup calls use with the holder of name, or returns what to wait for.
func (t *table) lookup(name string, use func(*binding) error) (*want, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b := t.bound[name]; b != nil {
		return nil, use(b)
	}
	w := t.wanted[name]
	if w == nil {
		w = &want{claimed: make(chan struct{})}
		t.wanted[name] = w
	}
	w.n++
	return w, nil
}

// forget ends a wait for w, and with the last one the memory of it.
func (t *table) forget(name string, w *want) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.n--; w.n == 0 && t.wanted[name] == w {
		delete(t.wanted, name)
	}
}
