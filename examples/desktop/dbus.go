//go:build linux || freebsd || openbsd || netbsd || dragonfly

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/solomq/solomq/unique"
)

// An application is the object org.freedesktop.Application of the Desktop Entry
// Specification: by it, desktops start the program and reach it while it runs.
// Each call becomes an invocation like any other launch.
type application struct {
	ctx  context.Context
	conn *dbus.Conn
	inst *unique.Instance
}

// Activate brings the window to the front.
func (a *application) Activate(from dbus.Sender, platform map[string]dbus.Variant) *dbus.Error {
	return a.forward(from, platform, unique.CommandActivate)
}

// Open opens files.
func (a *application) Open(from dbus.Sender, uris []string, platform map[string]dbus.Variant) *dbus.Error {
	return a.forward(from, platform, unique.CommandOpen, uris...)
}

// ActivateAction is an action of the desktop file.
func (a *application) ActivateAction(from dbus.Sender, name string, _ []dbus.Variant, platform map[string]dbus.Variant) *dbus.Error {
	if name != "new-window" {
		return dbus.MakeFailedError(fmt.Errorf("there is no action %q", name))
	}
	return a.forward(from, platform, unique.CommandNew)
}

func (a *application) forward(from dbus.Sender, platform map[string]dbus.Variant, command string, uris ...string) *dbus.Error {
	inv := (&unique.Invocation{Dir: "/", Data: [][]byte{[]byte(a.who(from))}}).WithCommand(command, uris...)
	inv.Activation.StartupID, _ = platform["desktop-startup-id"].Value().(string)
	inv.Activation.Token, _ = platform["activation-token"].Value().(string)
	var complaint strings.Builder
	inv.Stderr = &complaint
	code, err := a.inst.Forward(a.ctx, inv)
	switch {
	case err != nil:
		return dbus.MakeFailedError(err)
	case code != 0:
		return dbus.MakeFailedError(fmt.Errorf("%s", strings.TrimSpace(complaint.String())))
	}
	return nil
}

// who tells which process is behind a call.
func (a *application) who(from dbus.Sender) string {
	var pid uint32
	if a.conn.BusObject().CallWithContext(a.ctx, "org.freedesktop.DBus.GetConnectionUnixProcessID", 0, string(from)).Store(&pid) != nil {
		return "D-Bus " + string(from)
	}
	return fmt.Sprintf("pid %d by D-Bus", pid)
}

// serveBus is the application on the session bus until ctx ends, or until
// another process has the name, which a relay gives up to the process with the
// windows. It is no error that there is no bus.
func serveBus(ctx context.Context, inst *unique.Instance) error {
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return nil
	}
	defer conn.Close()
	if err := conn.Auth(nil); err != nil {
		return fmt.Errorf("session bus: %w", err)
	}
	if err := conn.Hello(); err != nil {
		return fmt.Errorf("session bus: %w", err)
	}
	lost := make(chan *dbus.Signal, 8)
	conn.Signal(lost)
	path := dbus.ObjectPath("/" + strings.ReplaceAll(appID, ".", "/"))
	a := &application{ctx, conn, inst}
	if err := conn.Export(a, path, "org.freedesktop.Application"); err != nil { // before anybody can ask
		return err
	}
	flags := dbus.NameFlagReplaceExisting
	if inst.Role() == unique.Secondary {
		flags = dbus.NameFlagAllowReplacement | dbus.NameFlagDoNotQueue
	}
	reply, err := conn.RequestName(appID, flags)
	if err != nil || reply == dbus.RequestNameReplyExists {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-lost:
			if !ok || s.Name == "org.freedesktop.DBus.NameLost" {
				return nil
			}
		}
	}
}

// relay is for a process that the bus has started while the windows are another's,
// who is not on this bus: it passes on what it is asked, until that one has ended
// or takes the name.
func relay(ctx context.Context, inst *unique.Instance) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		inst.WaitExit(ctx)
		cancel()
	}()
	err := serveBus(ctx, inst)
	cancel()
	<-ended
	return err
}
