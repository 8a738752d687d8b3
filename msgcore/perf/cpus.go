package main

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// pinnable returns two processors that programs can be pinned to; none if there
// are no two, or no taskset.
func pinnable() []string {
	if _, err := exec.LookPath("taskset"); err != nil || runtime.NumCPU() < 2 {
		return nil
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	_, list, _ := strings.Cut(string(status), "Cpus_allowed_list:")
	list, _, _ = strings.Cut(list, "\n")
	return firstTwo(strings.TrimSpace(list))
}

// firstTwo returns the first two processors of a list such as "0-3,8".
func firstTwo(list string) []string {
	var cpus []string
	for part := range strings.SplitSeq(list, ",") {
		low, high, ranged := strings.Cut(part, "-")
		from, err := strconv.Atoi(low)
		if err != nil {
			return nil
		}
		to := from
		if ranged {
			if to, err = strconv.Atoi(high); err != nil {
				return nil
			}
		}
		for ; from <= to; from++ {
			if cpus = append(cpus, strconv.Itoa(from)); len(cpus) == 2 {
				return cpus
			}
		}
	}
	return nil
}
