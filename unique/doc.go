// Package unique makes a program single-instance: the first process to Acquire
// an application id is the primary, and later ones, the secondaries, hand it
// their command line and end with the exit code that it gives back.
//
//	app, err := unique.Acquire(ctx, "com.example.editor", nil)
//	if err != nil {
//		fmt.Fprintln(os.Stderr, err)
//		os.Exit(1)
//	}
//	if app.Role() == unique.Primary {
//		go app.Serve(ctx, handle) // func handle(ctx context.Context, inv *unique.Invocation) int
//	}
//	code, err := app.Forward(ctx, unique.Current().WithStdio()) // in the primary: straight to handle
//	if app.Role() == unique.Secondary {
//		app.Close()
//		os.Exit(code)
//	}
//	window.ShowAndRun()
//
// A command-line tool says the same in one line:
//
//	code, err := unique.Run(ctx, "com.example.tool", nil, handle)
//
// # What is promised
//
// There is one primary at most. It is elected by a lock of the operating system
// that ends with the process, so nothing that a crash leaves behind keeps the
// next start from working, and nothing is decided by process ids, names or
// ages, nor by the path of the executable. It needs no notifications, no bus and
// no broker.
//
// An invocation is run at most once. Handing over has three steps: the
// secondary says hello and is welcomed, so the primary is alive; it states its
// request and is offered a handler, but nothing has started; it says go, and
// only now the handler runs. Until then the secondary may start over with
// whoever is the primary by then; after that it never does, and says so if it
// cannot know the outcome (ErrGone).
//
// Nobody hangs on a primary that is stopped or stuck: that is an
// UnresponsiveError, in two seconds by default, with its process id.
//
// What is handed over: the arguments as bytes, the working directory, the
// environment that desktop activation needs and what Options.Env names, the
// standard streams with back-pressure, signals on request, and the
// application's own data both ways.
//
// Only processes of the same user are talked to, by the kernel's word, in
// both directions, in a directory that nobody else can write to. Where the system
// has no local sockets (ipc), the primary is on a port of loopback tcp, and CURVE
// with keys that only this user can read takes the place of the kernel's word.
// Arguments, environment and tokens stand in no error and no log.
//
// # A long life
//
// A primary can hand its place to a successor (Relaunch, after an update for
// example; Options.Replace): launches that come meanwhile wait for it, none is
// refused. Programs that clean up temporary directories do not harm it: it locks
// its directory, puts back what they remove, and on Linux keeps a second name
// besides, so that nobody becomes a second primary in between. If it loses its
// place all the same, Lost says so.
//
// # Watching it
//
// With SOLOMQ_DEBUG=1 in the environment, each step is told in one line on
// standard error; Options.Log tells it to the program, in the form of log/slog.
// Where tells which directory is used, and why, Lookup who is the primary, and
// Stats what it has done.
//
// # Systems
//
// The protocol, which programs in any language with a ZeroMQ binding can speak,
// is in PROTOCOL.md beside this file. Where a system has no file locks, Acquire
// returns an error that wraps errors.ErrUnsupported. Where tcp takes the place of
// local sockets, it is only at a loopback address.
//
// Open events of macOS, by which the system gives files and URLs to an
// application instead of its command line, come after its start: an Invocation
// made by hand, with CommandOpen and Targets, hands them over like any other.
//
// This package is unrelated to the standard library's unique package.
package unique
