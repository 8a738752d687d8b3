package main

import (
	"slices"
	"testing"
)

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int{"64": 64, "1Ki": 1024, "16Ki": 16384, "1Mi": 1 << 20, "": 0, "0": 0, "-1": 0, "1K": 0, "9999Mi": 0} {
		got, err := parseSize(in)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, %v, want %d", in, got, err, want)
		}
	}
}

func TestSizeString(t *testing.T) {
	for in, want := range map[int]string{64: "64 B", 1000: "1000 B", 1024: "1 KiB", 1536: "1536 B", 1 << 20: "1 MiB"} {
		if got := sizeString(in); got != want {
			t.Errorf("%d is %q, want %q", in, got, want)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, test := range []struct {
		u    unit
		v    float64
		want string
	}{
		{perSecond, 12345678, "12.3 M"},
		{perSecond, 4321, "4.32 k"},
		{perSecond, 321, "321"},
		{microseconds, 12345, "12345"},
		{microseconds, 0.0123, "0.012"},
	} {
		if got := test.u.format(test.v); got != test.want {
			t.Errorf("%g %s is %q, want %q", test.v, test.u.name, got, test.want)
		}
	}
}

func TestFirstTwo(t *testing.T) {
	for in, want := range map[string][]string{
		"0-3": {"0", "1"}, "5": nil, "2,7-9": {"2", "7"}, "": nil, "x": nil, "3-4": {"3", "4"},
	} {
		if got := firstTwo(in); !slices.Equal(got, want) {
			t.Errorf("%q gives %v, want %v", in, got, want)
		}
	}
}
