package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A contender is a library in one way of using it.
type contender struct {
	lib   *library
	way   string   // such as "batch"; empty if there is one only
	flags []string // for both of its processes
}

func (c *contender) String() string {
	if c.way == "" {
		return c.lib.name
	}
	return c.lib.name + " " + c.way
}

func (c *contender) title() string {
	if c.way == "" {
		return c.lib.title
	}
	return c.lib.title + " " + c.way
}

// A sample is what one contender reached at one work in one round.
type sample struct {
	value float64
	cpu   float64 // µs for each message, of all processes; 0 if it was not measured
	extra map[string]float64
}

// A bed is where measuring programs run.
type bed struct {
	programs programs
	dir      string        // for sockets
	time     time.Duration // that is counted in one measurement
	patience time.Duration // beyond it, until a program counts as hung
	cpus     []string      // two to pin to, or none
	// How -run profile has the programs end and what it adds to their flags.
	extraFlags func(role string) []string
	gently     bool

	namespaces *namespaces // of multicast; nil until there are some

	sockets int // made so far
}

// address is a new one for a program to bind.
func (b *bed) address(w *work) string {
	switch w.transport {
	case "tcp":
		return "tcp://127.0.0.1:*"
	case "ipc":
		b.sockets++
		return "ipc://" + filepath.Join(b.dir, "s"+strconv.Itoa(b.sockets))
	default:
		return w.transport + "://perf"
	}
}

// start starts the program of c for one role. First is whether it is the one
// that is started first, which decides on what processor it is pinned.
func (b *bed) start(ctx context.Context, w *work, c *contender, role, address string, first bool) (*process, error) {
	argv := append([]string{b.programs[c.lib]}, c.flags...)
	if w.busy {
		argv = append(argv, "-busy")
	}
	if w.waits {
		argv = append(argv, "-nodrop")
	}
	if w.kind != "" {
		argv = append(argv, "-kind="+w.kind)
	}
	if w.transport == "epgm" {
		argv = append(b.namespaces.exec(first), argv...)
		argv = append(argv, multicastFlags...)
	}
	if w.mode.name == "curve" {
		keys, err := curveKeys()
		if err != nil {
			return nil, err
		}
		argv = append(argv, "-curve="+keys)
	}
	if b.extraFlags != nil {
		argv = append(argv, b.extraFlags(role)...)
	}
	argv = append(argv, role, address, strconv.Itoa(w.size), fmt.Sprint(b.time.Seconds()), strconv.Itoa(max(w.n, 1)))
	cpu := ""
	if w.place != free {
		cpu = b.cpus[0]
		if w.place == ownCores && !first {
			cpu = b.cpus[1]
		}
	}
	return start(ctx, cpu, argv...)
}

func (b *bed) end(p *process) {
	if b.gently {
		p.endGently(10 * time.Second)
		return
	}
	p.end()
}

// limited is ctx bounded by what one measurement may take.
func (b *bed) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 2*b.time+b.patience)
}

// pair runs two programs, in the roles first and second: the first one is bound,
// the second one connects to where it says it is. The one whose role is measuring
// tells the result.
func pair(first, second, measuring string) measureFunc {
	return func(ctx context.Context, b *bed, w *work, c *contender) (sample, error) {
		first, second := first, second
		if second == "sub" && c.lib.subFirst {
			first, second = second, first
		}
		ctx, cancel := b.limited(ctx)
		defer cancel()
		one, err := b.start(ctx, w, c, first, b.address(w), true)
		if err != nil {
			return sample{}, err
		}
		defer b.end(one)
		address, err := one.expect(ctx, "ready")
		if err != nil {
			return sample{}, fmt.Errorf("%s: %w", first, err)
		}
		two, err := b.start(ctx, w, c, second, address, false)
		if err != nil {
			return sample{}, err
		}
		defer b.end(two)

		teller := one
		if measuring == second {
			teller = two
		}
		line, err := teller.expect(ctx, "result")
		if err != nil {
			// If the other one has ended, that is why.
			for _, p := range []*process{one, two} {
				select {
				case <-p.done:
					if p != teller && p.stderr.String() != "" {
						err = fmt.Errorf("%w; the other side: %s", err, p.stderr.String())
					}
				default:
				}
			}
			return sample{}, fmt.Errorf("%s: %w", measuring, err)
		}
		b.end(one)
		b.end(two)
		return result(w, line, one.cpu()+two.cpu())
	}
}

// single runs one program, which has both sides.
func single(role string) measureFunc {
	return func(ctx context.Context, b *bed, w *work, c *contender) (sample, error) {
		ctx, cancel := b.limited(ctx)
		defer cancel()
		p, err := b.start(ctx, w, c, role, b.address(w), true)
		if err != nil {
			return sample{}, err
		}
		defer b.end(p)
		line, err := p.expect(ctx, "result")
		if err != nil {
			return sample{}, fmt.Errorf("%s: %w", role, err)
		}
		b.end(p)
		return result(w, line, p.cpu())
	}
}

var errNothing = errors.New("nothing came through")

// result makes a sample of what a program tells.
func result(w *work, line string, cpu time.Duration) (sample, error) {
	v, err := numbers(line)
	if err != nil {
		return sample{}, err
	}
	s := sample{extra: v}
	if v["total"] > 0 {
		s.cpu = float64(cpu) / float64(time.Microsecond) / v["total"]
	}
	if w.mode.unit == perSecond {
		s.value = v["messages"] / v["seconds"]
	} else {
		s.value = v["p50"]
	}
	if !(s.value > 0) {
		return sample{}, fmt.Errorf("%w: %s", errNothing, line)
	}
	return s, nil
}

// numbers reads "key=number key=number".
func numbers(line string) (map[string]float64, error) {
	v := map[string]float64{}
	for field := range strings.FieldsSeq(line) {
		key, number, _ := strings.Cut(field, "=")
		f, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, fmt.Errorf("a result with %q in it", field)
		}
		v[key] = f
	}
	return v, nil
}
