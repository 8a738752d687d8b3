//go:build !linux

package main

import (
	"os"
	"os/exec"
)

// dieWithParent does nothing here: programs end by themselves after a while.
func dieWithParent(*exec.Cmd) {}

func terminate(p *os.Process) error { return p.Signal(os.Interrupt) }
