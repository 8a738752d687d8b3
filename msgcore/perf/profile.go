package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// profileKinds are where the time goes; for how long locks were waited for; for how
// long anything was, other goroutines above all; and what was allocated.
var profileKinds = []string{"cpu", "mutex", "block", "allocs"}

// profileCommand runs SoloMQ alone, both sides with a profiler on, and prints what
// it tells. The programs are built with the profiler in, so
// their figures are not for comparison.
func profileCommand(ctx context.Context, args []string) (err error) {
	o, err := parse("profile", args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "solomq-perf-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}

	lib := findLibrary("solomq")
	bin, err := buildGo(ctx, dir, "solomq", "CGO_ENABLED=0", "-tags=profile")
	if err != nil {
		return err
	}
	b := &bed{
		programs: programs{lib: bin}, dir: dir, time: o.time, patience: patience,
		cpus: pinnable(), gently: true,
	}
	defer func() { err = errors.Join(err, b.close()) }()
	o.pinned = b.cpus != nil
	cells, err := plan(&o.selection, []*library{lib})
	if err != nil {
		return err
	}
	for _, c := range cells {
		for _, x := range c.contenders {
			if err := profileOne(ctx, b, c.work, x, bin, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func profileOne(ctx context.Context, b *bed, w *work, c *contender, bin string, o *options) error {
	var files []string
	name := strings.NewReplacer(" ", "-", ",", "").Replace(w.String() + " " + c.String())
	b.extraFlags = func(role string) []string {
		file := filepath.Join(o.out, name+"-"+role+"-"+o.kind+".pprof")
		files = append(files, file)
		return []string{"-profile=" + o.kind + ":" + file}
	}
	s, err := w.mode.measure(ctx, b, w, c)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", w, c, err)
	}
	fmt.Printf("%s, %s: %s %s, %s µs of CPU for each\n", w, c, w.mode.unit.format(s.value), w.mode.unit.name, digits(s.cpu))
	for _, file := range files {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		top, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-nodecount=30", bin, file).Output()
		cancel()
		if err != nil {
			return fmt.Errorf("go tool pprof %s: %w", file, err)
		}
		fmt.Printf("\n%s\n%s\n", file, top)
	}
	return nil
}
