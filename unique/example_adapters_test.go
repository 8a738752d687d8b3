package unique_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/solomq/solomq/unique"
)

// These are the shapes of main in programs of common kinds. What stands for the
// toolkit is an interface of a few methods here, so that it compiles without it.

// A window is one of Fyne, Gio, Wails or any other toolkit.
type window interface {
	Show()
	RequestFocus()
	ShowAndRun()
}

// In Fyne, whose calls from other goroutines go through fyne.Do: the primary
// shows its window, and each later launch brings it to the front and opens its
// files.
func Example_fyne() {
	var w window        // app.New().NewWindow("Editor")
	var do func(func()) // fyne.Do
	var openFile func(path string)
	main := func() {
		ctx := context.Background()
		app, err := unique.Acquire(ctx, "com.example.editor", nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if app.Role() == unique.Secondary {
			code, _ := app.Forward(ctx, unique.Current().WithStdio())
			os.Exit(code)
		}
		go app.Serve(ctx, func(_ context.Context, inv *unique.Invocation) int {
			do(func() {
				w.Show()
				w.RequestFocus()
				for _, name := range inv.Args[1:] {
					if path, err := inv.Path(name); err == nil {
						openFile(path)
					}
				}
			})
			return 0
		})
		w.ShowAndRun()
		app.Close()
	}
	_ = main
}

// In Gio the event loop has a goroutine of its own, and app.Main never returns:
// what is handed over goes to the loop by a channel, and Invalidate wakes it.
func Example_gio() {
	var invalidate, raise func() // w.Invalidate, w.Perform(system.ActionRaise)
	var appMain func()           // app.Main
	launches := make(chan *unique.Invocation, 16)
	main := func(app *unique.Instance) {
		go app.Serve(context.Background(), func(ctx context.Context, inv *unique.Invocation) int {
			select {
			case launches <- inv:
			case <-ctx.Done():
				return 1
			}
			raise()
			invalidate()
			return 0
		})
		appMain()
	}
	_ = main
}

// In Wails, OnStartup is where the context comes from that its runtime needs:
// Serve begins there, and what came before has waited.
func Example_wails() {
	var emit func(ctx context.Context, event string, data ...any) // runtime.EventsEmit
	var show func(ctx context.Context)                            // runtime.WindowShow
	type options struct{ OnStartup, OnShutdown func(context.Context) }
	main := func(app *unique.Instance) *options {
		return &options{
			OnStartup: func(ctx context.Context) {
				go app.Serve(ctx, func(_ context.Context, inv *unique.Invocation) int {
					show(ctx)
					emit(ctx, "second-instance", inv.Args, inv.Dir)
					return 0
				})
			},
			OnShutdown: func(context.Context) { app.Close() },
		}
	}
	_ = main
}

// A program in the system tray that a later launch can tell to quit.
func Example_systray() {
	var run func(onReady, onExit func()) // systray.Run
	var quit func()                      // systray.Quit
	main := func(app *unique.Instance) {
		run(func() {
			go app.Serve(context.Background(), unique.Commands{
				unique.CommandActivate: func(context.Context, *unique.Invocation) int { return 0 },
				unique.CommandClose:    func(context.Context, *unique.Invocation) int { quit(); return 0 },
			}.Dispatch)
		}, func() { app.Close() })
	}
	_ = main
}

// With cobra, the command tree is executed in the primary, for each launch anew,
// with that launch's arguments and streams.
func Example_cobra() {
	type command interface { // *cobra.Command
		SetArgs([]string)
		ExecuteContext(context.Context) error
	}
	var newRoot func(inv *unique.Invocation) command // uses inv.Stdin, inv.Stdout, inv.Path
	main := func() {
		code, err := unique.Run(context.Background(), "com.example.tool", nil, func(ctx context.Context, inv *unique.Invocation) int {
			root := newRoot(inv)
			root.SetArgs(inv.Args[1:])
			if root.ExecuteContext(ctx) != nil {
				return 1
			}
			return 0
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(code)
	}
	_ = main
}

// A service in the manner of kardianos/service: Start must not block, and the
// service manager, not a launch, says when it ends.
type program struct{ app *unique.Instance }

func (p *program) Start() (err error) {
	p.app, err = unique.Acquire(context.Background(), "com.example.service", &unique.Options{Mode: unique.ModeService})
	if err == nil {
		go p.app.Serve(context.Background(), handle)
	}
	return err
}

func (p *program) Stop() error { return p.app.Close() }

func Example_service() {
	p := &program{}
	if err := p.Start(); err != nil { // a RunningError if there is one already
		return
	}
	defer p.Stop()
}

// What happens, told to log/slog.
func ExampleOptions_log() {
	opts := &unique.Options{Log: slog.Default().Debug}
	_, _ = unique.Acquire(context.Background(), "com.example.editor", opts)
}
