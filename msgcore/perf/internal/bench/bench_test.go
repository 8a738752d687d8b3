package bench_test

import (
	"slices"
	"testing"
	"time"

	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

func TestParse(t *testing.T) {
	a, err := bench.Parse([]string{"-recv=batch", "-busy", "pull", "tcp://a,tcp://b", "64", "0.25", "7"})
	if err != nil {
		t.Fatal(err)
	}
	if a.Mode != "pull" || a.Size != 64 || a.Time != 250*time.Millisecond || a.N != 7 {
		t.Errorf("%+v", a)
	}
	if got := a.Addresses(); !slices.Equal(got, []string{"tcp://a", "tcp://b"}) {
		t.Errorf("the addresses are %q", got)
	}
	if a.Flag("recv", "x") != "batch" || a.Flag("busy", "no") != "" || a.Flag("other", "no") != "no" {
		t.Error("the flags are not what they were given as")
	}
	if a.WarmUp() != 100*time.Millisecond {
		t.Errorf("the warm-up is %v", a.WarmUp())
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"pull", "a", "64"},
		{"pull", "a", "64", "1", "2", "3"},
		{"pull", "a", "-64", "1"},
		{"pull", "a", "64", "soon"},
		{"pull", "a", "64", "1", "0"},
	} {
		if a, err := bench.Parse(args); err == nil {
			t.Errorf("%v gives %+v", args, a)
		}
	}
}

func TestEveryone(t *testing.T) {
	a := &bench.Args{Size: 64}
	e := bench.NewEveryone(3)
	for i, met := range []bool{false, false, false, true, true} {
		sender := []int{2, 0, 2, 1, 0}[i]
		if got := e.Met(bench.SignedBody(a, sender)); got != met {
			t.Errorf("after message %d, of sender %d: %v, want %v", i, sender, got, met)
		}
	}
	if e := bench.NewEveryone(1); e.Met(bench.SignedBody(a, 9)) {
		t.Error("a sender that is not among them counts")
	}
	short := &bench.Args{Size: 2}
	if e := bench.NewEveryone(5); !e.Met(bench.SignedBody(short, 4)) {
		t.Error("messages too short to be signed are waited for")
	}
}
