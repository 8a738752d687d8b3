package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// A machine is where, with what and when was measured.
type machine struct {
	CPU      string
	CPUs     int
	Memory   string
	System   string
	Go       string
	Versions map[string]string // of the libraries
	Date     time.Time
}

func describeMachine(ctx context.Context, p programs) machine {
	m := machine{
		CPU:      orUnknown(valueIn("/proc/cpuinfo", "model name")),
		CPUs:     runtime.NumCPU(),
		Memory:   memory(),
		System:   strings.TrimSpace(runtime.GOOS + "/" + runtime.GOARCH + " " + firstLine("/proc/sys/kernel/osrelease")),
		Go:       runtime.Version(),
		Versions: map[string]string{},
		Date:     time.Now(),
	}
	required := requirements("go.mod")
	for _, l := range libraries {
		bin := p[l]
		if bin == "" {
			continue
		}
		version := required[l.module]
		if l.saysVersion {
			if out, err := exec.CommandContext(ctx, bin, "version").Output(); err == nil {
				version = strings.TrimSpace(version + " " + string(out))
			}
		}
		if version != "" {
			m.Versions[l.title] = version
		}
	}
	m.Versions["SoloMQ"] = ourVersion(ctx)
	return m
}

// ourVersion is the commit that was measured.
func ourVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--tags").Output()
	if err == nil {
		return strings.TrimSpace(string(out))
	}
	if i, ok := debug.ReadBuildInfo(); ok {
		return i.Main.Version
	}
	return "unknown"
}

// requirements reads the modules that a go.mod requires, with their versions.
func requirements(file string) map[string]string {
	all := map[string]string{}
	f, err := os.Open(file)
	if err != nil {
		return all
	}
	defer f.Close()
	block := false
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		switch {
		case len(fields) == 2 && fields[0] == "require" && fields[1] == "(":
			block = true
		case len(fields) > 0 && fields[0] == ")":
			block = false
		case block && len(fields) >= 2:
			all[fields[0]] = fields[1]
		case len(fields) >= 3 && fields[0] == "require":
			all[fields[1]] = fields[2]
		}
	}
	return all
}

// valueIn returns what stands behind the first "key :" in a file.
func valueIn(file, key string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// memory is how much the machine has.
func memory() string {
	kib, unit, _ := strings.Cut(valueIn("/proc/meminfo", "MemTotal"), " ")
	n, err := strconv.Atoi(kib)
	if err != nil || unit != "kB" {
		return "unknown"
	}
	return fmt.Sprintf("%.0f GiB", float64(n)/(1<<20))
}

func firstLine(file string) string {
	b, _ := os.ReadFile(file)
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func (m machine) String() string {
	return fmt.Sprintf("%d × %s, %s memory, %s, %s", m.CPUs, m.CPU, m.Memory, m.System, m.Go)
}
