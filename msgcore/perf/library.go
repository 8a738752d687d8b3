package main

import (
	"context"
	"embed"
	"slices"
)

// A library is somebody to be measured.
type library struct {
	name  string // as -peers says it
	title string
	// build makes the program in directory dir and returns its path.
	build func(ctx context.Context, dir string) (string, error)
	// install tells what to do when it cannot be built.
	install string
	// can reports whether the library does w at all.
	can func(w *work) bool
	// module is the Go module that it is, if its version stands in go.mod.
	module string
	// saysVersion is set if its program says the version of the C library that
	// it uses.
	saysVersion bool
	// ours is set if it is used in all the ways that a mode names.
	ours bool
	// yardstick is set if it is nobody to compete with, but what the machine takes:
	// its column and its ratio are for reading those of the others.
	yardstick bool
	// subFirst is set if the subscribers' process is the one to be bound,
	// because the server is in it.
	subFirst bool
}

// sources are the programs in C, and what they share.
//
//go:embed libzmq gapplication bare cbench
var sources embed.FS

const (
	installC    = "on Debian: apt-get install gcc libc6-dev libzmq3-dev"
	installCgo  = "on Debian: apt-get install gcc libc6-dev pkg-config libzmq3-dev"
	installBare = "it needs Linux; on Debian: apt-get install gcc libc6-dev"
	installGlib = "on Debian: apt-get install gcc libc6-dev pkg-config libglib2.0-dev dbus"
)

// reference is the name of the library that all ratios refer to.
const reference = "libzmq"

// libraries are all that there are, in the order of the report.
var libraries = []*library{
	{
		name: "solomq", title: "SoloMQ", ours: true,
		build: goProgram("solomq", "-s -w"),
		can:   func(w *work) bool { return w.mode.name != "launch" },
	},
	{
		name: "unique", title: "unique", ours: true,
		build: goProgram("launch", "-s -w", "launch/nothing"),
		can:   func(w *work) bool { return w.mode.name == "launch" },
	},
	{
		name: reference, title: "libzmq", saysVersion: true,
		build:   cProgram("libzmq", "-lzmq", "-lpthread"),
		install: installC,
		can:     func(*work) bool { return true },
	},
	{
		name: "pebbe", title: "pebbe/zmq4 (cgo)", saysVersion: true, module: "github.com/pebbe/zmq4",
		build:   cgoProgram("pebbe"),
		install: installCgo,
		can:     func(w *work) bool { return w.mode.name != "launch" && !w.onlyReference() },
	},
	{
		name: "go-zeromq", title: "go-zeromq/zmq4", module: "github.com/go-zeromq/zmq4",
		build: goProgram("gozeromq", "-s -w"),
		can: func(w *work) bool {
			return w.mode.name != "launch" && !w.onlyReference() && (w.mode.name != "reqrep" || w.n == 1)
		},
	},
	{
		name: "nats", title: "NATS", module: "github.com/nats-io/nats-server/v2",
		build:    goProgram("nats", "-s -w"),
		subFirst: true,
		can: func(w *work) bool {
			return w.mode.name != "launch" && !w.onlyReference() && w.transport == "tcp" && (w.mode.name != "reqrep" || w.n == 1)
		},
	},
	{
		name: "bare", title: "bare C (no library)", yardstick: true,
		build:   cProgram("bare"),
		install: installBare,
		can:     func(w *work) bool { return w.mode.name == "reqrep" && w.n == 1 },
	},
	{
		name: "gapplication", title: "GApplication", saysVersion: true,
		build:   glibProgram("gapplication", "gio-2.0"),
		install: installGlib,
		can:     func(w *work) bool { return w.mode.name == "launch" },
	},
}

func libraryNames() []string {
	var names []string
	for _, l := range libraries {
		names = append(names, l.name)
	}
	return names
}

func findLibrary(name string) *library {
	if i := slices.IndexFunc(libraries, func(l *library) bool { return l.name == name }); i >= 0 {
		return libraries[i]
	}
	return nil
}
