// Desktop is a text viewer and note pad that behaves as a desktop program should:
// there is one of it, and whatever is launched later, from a terminal, a file
// manager or D-Bus, ends up in its window, which comes to the front. It is the
// worked example of package unique for programs with windows.
//
//	main.go      the two roles: the process with the windows, and the launches
//	options.go   the command line, which both parse alike
//	requests.go  what the launches ask for, on the side of the windows
//	errand.go    a launch that waits for its tabs (-wait)
//	ui.go        the windows and what they share
//	window.go    a window with its tabs
//	tab.go       a tab: edit, save, close
//	document.go  text files
//	channel.go   the live event channel, and -say
//	dbus.go      org.freedesktop.Application
//	focus_*.go   what it takes to come to the front
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"fyne.io/fyne/v2/app"

	"github.com/solomq/solomq/unique"
)

// appID names the application to package unique, to D-Bus and to the desktop file.
const appID = "com.github.solomq.Notes"

// What desktop exits with.
const (
	exitFailed      = 1   // some file could not be opened, or the user canceled
	exitUsage       = 2   // the command line is wrong
	exitInterrupted = 130 // Ctrl-C while it waited
)

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(help)
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "desktop: %v (desktop -h explains)\n", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, o)
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "desktop: %v\n", err)
		code = max(code, exitFailed)
	}
	stop()
	os.Exit(code)
}

// run is a launch: it becomes the process with the windows, or hands itself over
// to the one that is.
func run(ctx context.Context, o *options) (exitCode int, err error) {
	inst, err := unique.Acquire(ctx, appID, o.unique())
	if errors.Is(err, unique.ErrNoPrimary) {
		return exitFailed, errors.New("no window is open")
	}
	if err != nil {
		return exitFailed, err
	}
	defer inst.Close()
	switch {
	case inst.Role() == unique.Primary:
		return 0, show(ctx, inst, !o.service)
	case o.service: // started by the bus, but the windows are another process's
		return 0, relay(ctx, inst)
	case o.say != "":
		return 0, say(ctx, inst, o.say)
	}
	return handOver(ctx, inst)
}

// unique says which part the launch may have.
func (o *options) unique() *unique.Options {
	opts := new(unique.Options)
	switch {
	case o.say != "" || o.list:
		opts.Mode = unique.ModeLauncher // opens no window
	case o.wait:
		// It ends with its tabs, so the windows cannot be its own: others may
		// be open by then.
		if self, err := os.Executable(); err == nil {
			opts.StartPrimary = exec.Command(self, "-service")
		}
	case o.service:
		opts.Idle = 10 * time.Second // for the request that it was started for
	}
	return opts
}

// handOver asks the process with the windows to do what this command line says.
// The caller's directory and activation token go along; standard input is only
// read if the other side wants to.
func handOver(ctx context.Context, inst *unique.Instance) (exitCode int, err error) {
	inv := unique.Current().WithStdio()
	exitCode, err = inst.Forward(ctx, inv)
	switch {
	case ctx.Err() != nil:
		return exitInterrupted, nil
	case err == nil && inv.Answer == unique.AnswerCanceled:
		err = errors.New("canceled")
	}
	return exitCode, err
}

// show runs the windows until the last one is closed. Each of them holds the
// instance, so package unique says when to end: once there is no window and no
// launch under way. One that comes a moment later starts the next process.
func show(ctx context.Context, inst *unique.Instance, first bool) error {
	u := newUI(app.NewWithID(appID), inst)
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	release := inst.Hold() // until the first window does
	served := make(chan error, 1)
	defer context.AfterFunc(serving, func() { time.AfterFunc(5*time.Second, func() { leave(served) }) })()
	u.app.Lifecycle().SetOnStarted(func() {
		takeSignals(cancel)
		stopped := u.background(serving)
		go func() {
			err := inst.Serve(serving, u.commands().Dispatch)
			stopped()
			served <- errors.Join(err, inst.Close()) // the next launch need not wait for the toolkit
			cancel()
			u.quit()
		}()
		go func() {
			defer release()
			if first { // our own command line goes the way of all others
				inst.Forward(serving, unique.Current().WithStdio())
			}
		}()
	})
	u.app.Run()
	cancel() // nobody is left without windows if the toolkit ends by itself
	return untold(<-served)
}

// untold is err, unless Serve ended because it was told to.
func untold(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// takeSignals has the signals that end a program do just what end does. Fyne would
// end at once, under the hands of those who show something: in its last moments a
// call to it may panic or wait for ever.
func takeSignals(end func()) {
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-c
		end()
	}()
}

// leave ends the process that has not ended by itself some time after it was to.
// Fyne, at least 2.7 and 2.8, waits at its end for an event that it may have dropped
// the moment before, and then Run does not return.
func leave(served <-chan error) {
	err := errors.New("still busy with what it shows")
	select {
	case err = <-served: // all is done, but for the toolkit
		err = untold(err)
	default:
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "desktop: %v\n", err)
		os.Exit(exitFailed)
	}
	os.Exit(0)
}
