package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// options are what the flags say.
type options struct {
	selection
	libs   []*library
	named  bool // libs were asked for by name
	rounds int
	time   time.Duration
	budget time.Duration
	out    string
	kind   string // of a profile
}

// parse reads the flags of a command.
func parse(command string, args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet(command, flag.ContinueOnError)
	var modeList, sizeList, transportList, peers, match string
	f.StringVar(&modeList, "mode", "", "only these `modes`, with commas between them: "+strings.Join(modeNames(), ", "))
	f.StringVar(&sizeList, "size", "", "these `sizes` of messages instead of those of each mode, such as 64,16Ki,1Mi")
	f.StringVar(&transportList, "transport", "", "only these `transports`: tcp, ipc, inproc, epgm")
	f.StringVar(&match, "run", "", "only work whose name the `regexp` matches, such as 'reqrep tcp .*4 peers'")
	counted := 300 * time.Millisecond
	if command == "profile" {
		counted = 3 * time.Second // the profiler looks 100 times a second
	}
	f.DurationVar(&o.time, "time", counted, "how `long` is counted in one measurement, after a warm-up of at most 0.1 s")
	if command == "compare" {
		f.StringVar(&peers, "peers", "", "only these `libraries`: "+strings.Join(libraryNames(), ", ")+"; an error if one cannot be built")
		f.IntVar(&o.rounds, "rounds", 0, "how often everything is measured (default 3, with -quick 2)")
		f.DurationVar(&o.budget, "budget", 9*time.Minute+30*time.Second, "`time` after which no measurement is begun")
		f.BoolVar(&o.quick, "quick", false, "the gist, in about a minute")
		f.StringVar(&o.out, "out", "results", "`directory` for report.md, report.json and chart.svg, from msgcore/perf on; empty writes none")
	} else {
		f.StringVar(&o.out, "out", "results", "`directory` for the profiles, from msgcore/perf on")
		f.StringVar(&o.kind, "kind", "cpu", "what the profile is about: "+strings.Join(profileKinds, ", "))
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q is not a flag", f.Arg(0))
	}
	if o.rounds == 0 {
		o.rounds = 3
		if o.quick {
			o.rounds = 2
		}
	}
	if command == "profile" && !slices.Contains(profileKinds, o.kind) {
		return nil, fmt.Errorf("no profile of kind %q; there are %s", o.kind, strings.Join(profileKinds, ", "))
	}
	if o.rounds < 1 || o.time <= 0 {
		return nil, errors.New("-rounds and -time must be over 0")
	}

	o.modes, o.transports = list(modeList), list(transportList)
	for _, s := range list(sizeList) {
		n, err := parseSize(s)
		if err != nil {
			return nil, err
		}
		o.sizes = append(o.sizes, n)
	}
	if match != "" {
		re, err := regexp.Compile(match)
		if err != nil {
			return nil, fmt.Errorf("-run: %w", err)
		}
		o.match = re
	}
	o.libs = libraries
	if peers != "" {
		o.libs, o.named = nil, true
		for _, name := range list(peers) {
			l := findLibrary(name)
			if l == nil {
				return nil, fmt.Errorf("no library %q; there are %s", name, strings.Join(libraryNames(), ", "))
			}
			o.libs = append(o.libs, l)
		}
	}
	if _, err := os.Stat("solomq/main.go"); err != nil {
		return nil, errors.New(`this is to be run in its own directory: go -C msgcore/perf run . ` + command)
	}
	return o, nil
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
