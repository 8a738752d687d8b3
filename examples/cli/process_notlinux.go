//go:build unix && !linux

package main

import (
	"os"
	"path/filepath"
	"strconv"
)

// kept is the queue's own copy of its program; empty in other processes.
var kept string

// ownProgram returns the path by which this process starts its own program
// again.
func ownProgram() (string, error) {
	if kept != "" {
		return kept, nil
	}
	return os.Executable()
}

// keepProgram gives the queue a copy of its program that lives as long as it
// does: "go run" deletes what it built, and the queue needs it for each job.
func keepProgram(s *store) (discard func(), err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, "tmp-spool-"+strconv.Itoa(os.Getpid())+filepath.Ext(program))
	if err := os.Link(program, path); err != nil {
		content, err := os.ReadFile(program)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, content, 0o700); err != nil {
			return nil, err
		}
	}
	kept = path
	return func() { os.Remove(path) }, nil
}

// sleeps reports whether process pid waits for something, as far as the system
// tells.
func sleeps(int) bool { return true }
