//go:build profile

package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"

	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

// profile writes a profile until the process ends, by itself or by a SIGTERM. what
// is its kind and its file, with a colon between them.
func profile(what string) error {
	if what == "" {
		return nil
	}
	kind, file, _ := strings.Cut(what, ":")
	if kind != "cpu" && pprof.Lookup(kind) == nil {
		return fmt.Errorf("no profile of kind %q", kind)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	end := func() error { return pprof.Lookup(kind).WriteTo(f, 0) }
	switch kind {
	case "cpu":
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		end = func() error {
			pprof.StopCPUProfile()
			return nil
		}
	case "mutex":
		runtime.SetMutexProfileFraction(1)
	case "block":
		runtime.SetBlockProfileRate(1)
	}
	bench.AtExit = func() {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		f.Close()
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		bench.Exit(0)
	}()
	return nil
}
