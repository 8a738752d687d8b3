package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	launches = 10 // in one measurement, after one that does not count
	// launchCode is what each second launch is to exit with: its arguments and one.
	launchCode = 4
)

var launchArgs = []string{"one", "two", "three"}

// A launcher knows how the program of one library is started as the first
// instance and as a second one, behind the name of the program.
type launcher struct {
	first, second func(way, where string) []string
}

var launchers = map[string]launcher{
	"unique": {
		first:  func(_, where string) []string { return []string{"primary", where} },
		second: func(way, where string) []string { return []string{way, where} },
	},
	reference: {
		first:  func(_, where string) []string { return []string{"primary", "ipc://" + where, "0", "0"} },
		second: func(_, where string) []string { return []string{"launch", "ipc://" + where} },
	},
	"gapplication": {
		first:  func(_, _ string) []string { return []string{"primary", "-"} },
		second: func(_, _ string) []string { return []string{"launch", "-"} },
	},
}

// secondLaunch measures the wall time of second launches: the median of several.
func secondLaunch(ctx context.Context, b *bed, _ *work, c *contender) (sample, error) {
	ctx, cancel := b.limited(ctx)
	defer cancel()
	l, known := launchers[c.lib.name]
	if !known {
		return sample{}, errors.ErrUnsupported
	}
	b.sockets++
	where := filepath.Join(b.dir, fmt.Sprint("launch", b.sockets))
	bin, argv := b.programs[c.lib], l.second(c.way, where)
	if c.way == "nothing" {
		bin = filepath.Join(filepath.Dir(bin), c.way)
	} else {
		env, stop, err := bus(ctx, c.lib)
		if err != nil {
			return sample{}, err
		}
		defer stop()
		first, err := startWith(ctx, env, append([]string{bin}, l.first(c.way, where)...)...)
		if err != nil {
			return sample{}, err
		}
		defer first.end()
		if _, err := first.expect(ctx, "ready"); err != nil {
			return sample{}, fmt.Errorf("first instance: %w", err)
		}
		return launchAgain(ctx, env, bin, append(argv, launchArgs...))
	}
	return launchAgain(ctx, nil, bin, append(argv, launchArgs...))
}

func launchAgain(ctx context.Context, env []string, bin string, argv []string) (sample, error) {
	var took, used []float64
	for i := range launches + 1 {
		cmd := exec.CommandContext(ctx, bin, argv...)
		cmd.Env = append(os.Environ(), env...)
		begin := time.Now()
		err := cmd.Run()
		wall := time.Since(begin)
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != launchCode {
			if ctx.Err() != nil {
				err = errLate
			}
			return sample{}, fmt.Errorf("second launch: %v, want exit code %d", err, launchCode)
		}
		if i > 0 {
			s := cmd.ProcessState
			took = append(took, float64(wall)/float64(time.Millisecond))
			used = append(used, float64(s.UserTime()+s.SystemTime())/float64(time.Microsecond))
		}
	}
	wall, cpu := summarize(took), summarize(used)
	return sample{value: wall.Median, cpu: cpu.Median, extra: map[string]float64{"min": wall.Min, "max": wall.Max}}, nil
}

// bus starts a message bus if l needs one, and returns what programs must have in
// their environment to find it.
func bus(ctx context.Context, l *library) (env []string, stop func(), err error) {
	if l.name != "gapplication" {
		return nil, func() {}, nil
	}
	p, err := start(ctx, "", "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1")
	if err != nil {
		return nil, nil, err
	}
	address, err := p.expect(ctx, "")
	if err != nil {
		p.end()
		return nil, nil, fmt.Errorf("dbus-daemon: %w", err)
	}
	return []string{"DBUS_SESSION_BUS_ADDRESS=" + strings.TrimSpace(address)}, p.end, nil
}
