package unique_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/solomq/solomq/unique"
)

// From Electron:
//
//	const first = app.requestSingleInstanceLock({ from: "menu" })
//	if (!first) app.quit()
//	app.on("second-instance", (event, argv, cwd, data) => open(argv, cwd, data))
//
// The arguments come unchanged and in order, a second launch learns what became
// of it, and data go both ways.
func Example_fromElectron() {
	ctx := context.Background()
	app, err := unique.Acquire(ctx, "com.example.editor", nil) // app.requestSingleInstanceLock
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	data, _ := json.Marshal(map[string]string{"from": "menu"})
	if app.Role() == unique.Secondary { // !first
		inv := unique.Current()
		inv.Data = [][]byte{data}
		code, err := app.Forward(ctx, inv)
		if err != nil {
			fmt.Fprintln(os.Stderr, err) // Electron says nothing here
		}
		os.Exit(code) // app.quit
	}
	go app.Serve(ctx, func(_ context.Context, inv *unique.Invocation) int { // app.on("second-instance")
		var extra map[string]string
		if len(inv.Data) > 0 {
			_ = json.Unmarshal(inv.Data[0], &extra)
		}
		fmt.Println(inv.Args, inv.Dir, extra)
		return 0
	})
	defer app.Close() // app.releaseSingleInstanceLock
	showWindow()
}

// From Wails' SingleInstanceLock:
//
//	SingleInstanceLock: &options.SingleInstanceLock{
//		UniqueId:               "e3984e08-28dc-4e3d-b70a-45e961589cdc",
//		OnSecondInstanceLaunch: app.onSecondInstanceLaunch, // SecondInstanceData{Args, WorkingDirectory}
//	}
//
// A launch that comes before the window is there is not lost, and one that comes
// while the program ends starts it anew.
func Example_fromWails() {
	type SecondInstanceData struct {
		Args             []string
		WorkingDirectory string
	}
	onSecondInstanceLaunch := func(d SecondInstanceData) { fmt.Println(d) }

	ctx := context.Background()
	app, err := unique.Acquire(ctx, "e3984e08-28dc-4e3d-b70a-45e961589cdc", nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if app.Role() == unique.Secondary {
		code, _ := app.Forward(ctx, unique.Current())
		os.Exit(code)
	}
	go app.Serve(ctx, func(_ context.Context, inv *unique.Invocation) int {
		onSecondInstanceLaunch(SecondInstanceData{Args: inv.Args[1:], WorkingDirectory: inv.Dir})
		return 0
	})
	defer app.Close()
	showWindow() // wails.Run
}

// A value for a value, as JSON.
func ExampleCall() {
	type query struct{ Text string }
	type hits struct{ Files []string }
	codec := unique.Codec{Marshal: json.Marshal, Unmarshal: json.Unmarshal}
	ctx := context.Background()
	app, err := unique.Acquire(ctx, "com.example.index", nil)
	if err != nil {
		return
	}
	defer app.Close()
	if app.Role() == unique.Primary {
		_ = app.Serve(ctx, unique.Commands{
			"search": unique.Answerer(codec, func(_ context.Context, _ *unique.Invocation, q query) (hits, error) {
				return hits{Files: []string{q.Text + ".txt"}}, nil
			}),
		}.Dispatch)
		return
	}
	found, err := unique.Call[query, hits](ctx, app, codec, "search", query{Text: "notes"})
	fmt.Println(found.Files, err)
}

// An editor that waits: the launch ends when the document is closed, not when it
// is opened.
func ExampleInvocation_Defer() {
	onClose := func(path string, f func()) {}
	h := func(_ context.Context, inv *unique.Invocation) int {
		path, err := inv.Path(inv.Args[1])
		if err != nil {
			return 1
		}
		exit := inv.Defer()
		onClose(path, func() { exit(0) })
		return 0 // does not count
	}
	_ = h
}

// After an update: the new program takes over, and no launch is refused.
func ExampleInstance_Relaunch() {
	update := func(app *unique.Instance) error {
		return app.Relaunch(context.Background(), self("--after-update"))
	}
	_ = update
}

func self(args ...string) *exec.Cmd {
	path, err := os.Executable()
	if err != nil {
		return &exec.Cmd{Err: err}
	}
	return exec.Command(path, args...)
}
