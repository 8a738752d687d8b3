package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// spool is the path of the program under test: this binary, by another name.
var spool string

// TestMain is main for whoever starts this binary as spool, the queue process
// and the supervisors of jobs above all.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "spool" {
		main()
		os.Exit(0)
	}
	os.Exit(testAll(m))
}

func testAll(m *testing.M) int {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "spool")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	spool = filepath.Join(dir, "spool")
	if err := os.Symlink(program, spool); err != nil {
		panic(err)
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // each process would wait for a second
	// A shell that runs us in the background lets us ignore Ctrl-C, and what we
	// start would inherit that, but not that we handle it.
	if signal.Ignored(os.Interrupt) {
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
