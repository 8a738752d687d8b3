package main

import (
	"bytes"
	"fmt"
	"os"
)

// resident returns the resident memory of a process in KiB, all of it and what
// of it is backed by no file.
func resident(pid int) (all, anonymous float64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range bytes.Lines(b) {
		for name, v := range map[string]*float64{"VmRSS:": &all, "RssAnon:": &anonymous} {
			if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
				if _, err := fmt.Sscan(string(rest), v); err != nil {
					return 0, 0, err
				}
			}
		}
	}
	if all == 0 {
		return 0, 0, fmt.Errorf("/proc/%d/status tells no VmRSS", pid)
	}
	return all, anonymous, nil
}
