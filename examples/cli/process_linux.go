package main

import (
	"bytes"
	"os"
	"strconv"
)

// ownProgram returns the path by which this process starts its own program
// again. This one works even when the file is gone or was replaced meanwhile:
// "go run" deletes what it built, and the queue lives longer.
func ownProgram() (string, error) { return "/proc/self/exe", nil }

func keepProgram(*store) (discard func(), err error) { return func() {}, nil }

// sleeps reports whether process pid waits for something, as far as the system
// tells; one that has not got to run yet, or has just ended, does not.
func sleeps(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	after := bytes.LastIndexByte(stat, ')') // of the name, which may hold anything
	return len(stat) < after+3 || stat[after+2] == 'S'
}
