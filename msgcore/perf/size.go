package main

import (
	"fmt"
	"strconv"
	"strings"
)

// parseSize reads a number of bytes such as 64, 16Ki or 1Mi.
func parseSize(s string) (int, error) {
	digits, shift := s, 0
	if d, ok := strings.CutSuffix(s, "Ki"); ok {
		digits, shift = d, 10
	} else if d, ok := strings.CutSuffix(s, "Mi"); ok {
		digits, shift = d, 20
	}
	n, err := strconv.ParseUint(digits, 10, 31-shift)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("size is %q, want bytes, such as 64, 16Ki or 1Mi", s)
	}
	return int(n) << shift, nil
}

// sizeString is what people read: "64 B", "16 KiB".
func sizeString(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return strconv.Itoa(n>>20) + " MiB"
	case n >= 1<<10 && n%(1<<10) == 0:
		return strconv.Itoa(n>>10) + " KiB"
	default:
		return strconv.Itoa(n) + " B"
	}
}
