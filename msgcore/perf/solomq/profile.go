//go:build profile

package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

// profile writes a CPU profile to file until the process ends, by itself or by a
// SIGTERM.
func profile(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	bench.AtExit = func() {
		pprof.StopCPUProfile()
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
