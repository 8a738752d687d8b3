package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func planned(t *testing.T, sel selection, libs []*library) []*cell {
	t.Helper()
	cells, err := plan(&sel, libs)
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

func names(cells []*cell) (all []string) {
	for _, c := range cells {
		all = append(all, c.work.String())
	}
	return all
}

func TestPlanIsWithoutDoubles(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range planned(t, selection{pinned: true, everywhere: true}, libraries) {
		if seen[c.work.String()] {
			t.Errorf("%q stands for two works", c.work)
		}
		seen[c.work.String()] = true
		var who []string
		for _, x := range c.contenders {
			if slices.Contains(who, x.String()) {
				t.Errorf("%s: two are called %q", c.work, x)
			}
			who = append(who, x.String())
		}
		if !slices.Contains(who, reference) {
			t.Errorf("%s: nothing to compare with", c.work)
		}
	}
}

func TestSelection(t *testing.T) {
	for name, test := range map[string]struct {
		sel  selection
		want []string
	}{
		"mode, size and transport": {
			selection{modes: []string{"pushpull"}, sizes: []int{48, 2 << 20}, transports: []string{"ipc"}},
			[]string{"pushpull ipc 48 B", "pushpull ipc 2 MiB"},
		},
		"by name": {
			selection{match: regexp.MustCompile(`reqrep tcp 32 B, 4`), pinned: true},
			[]string{"reqrep tcp 32 B, 4 peers", "reqrep tcp 32 B, 4 peers at once"},
		},
		"not pinned where that cannot be": {
			selection{modes: []string{"reqrep"}, transports: []string{"tcp"}, sizes: []int{32}, match: regexp.MustCompile(`1 peer`)},
			[]string{"reqrep tcp 32 B, 1 peer"},
		},
		"a size that quick has not": {
			selection{quick: true, modes: []string{"pushpull"}, transports: []string{"tcp"}, sizes: []int{17}},
			[]string{"pushpull tcp 17 B"},
		},
		"inproc is said once": {
			selection{transports: []string{"inproc"}, sizes: []int{64}},
			[]string{"inproc 64 B", "inproc-reqrep 64 B"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := names(planned(t, test.sel, libraries)); !slices.Equal(got, test.want) {
				t.Errorf("it selects\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestQuickIsAFewOfAll(t *testing.T) {
	all, quick := planned(t, selection{}, libraries), planned(t, selection{quick: true}, libraries)
	if len(quick) < 10 || len(quick) > len(all)/2 {
		t.Errorf("-quick has %d works of %d", len(quick), len(all))
	}
}

func TestBadSelection(t *testing.T) {
	for name, sel := range map[string]selection{
		"no such mode": {modes: []string{"pullpush"}},
		"nothing fits": {modes: []string{"inproc"}, transports: []string{"tcp"}},
	} {
		if cells, err := plan(&sel, libraries); err == nil {
			t.Errorf("%s: it selects %v", name, names(cells))
		}
	}
}

func TestOnlyWhoCanTakesPart(t *testing.T) {
	for _, c := range planned(t, selection{}, []*library{findLibrary("nats")}) {
		if c.work.transport != "tcp" {
			t.Errorf("NATS takes part in %s", c.work)
		}
	}
}

// Every target must name a contender that there is, at a work that there is.
func TestTargetsFit(t *testing.T) {
	cells := planned(t, selection{pinned: true, everywhere: true}, libraries)
	for _, c := range cells {
		for _, s := range c.results {
			s.samples = []*sample{{value: 1, cpu: 1}}
		}
	}
	for i := range targets {
		found := false
		for _, c := range cells {
			if c.work.mode.name == targets[i].mode && (targets[i].fits == nil || targets[i].fits(c.work)) {
				_, ok := targets[i].judge(c)
				found = found || ok
			}
		}
		if !found {
			t.Errorf("nothing fits target %d: %+v", i, targets[i])
		}
	}
}
