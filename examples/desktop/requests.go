package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/solomq/solomq/unique"
)

// commands are what launches and the bus may ask for. Each request is handled on
// a goroutine of its own; what touches the windows goes through u.do.
func (u *ui) commands() unique.Commands {
	return unique.Commands{
		"": u.commandLine,
		unique.CommandActivate: func(ctx context.Context, inv *unique.Invocation) int {
			return u.open(ctx, inv, &options{})
		},
		unique.CommandNew: func(ctx context.Context, inv *unique.Invocation) int {
			return u.open(ctx, inv, &options{newWindow: true})
		},
		unique.CommandOpen: func(ctx context.Context, inv *unique.Invocation) int {
			return u.open(ctx, inv, &options{files: inv.Targets})
		},
	}
}

// commandLine handles a launch by its arguments.
func (u *ui) commandLine(ctx context.Context, inv *unique.Invocation) int {
	o, err := parse(inv.Args[1:])
	if err != nil {
		fmt.Fprintf(inv.Stderr, "desktop: %v\n", err)
		return exitUsage
	}
	if o.list {
		var list string
		u.do(func() { list = u.list() })
		if _, err := io.WriteString(inv.Stdout, list); err != nil {
			return exitFailed
		}
		return 0
	}
	return u.open(ctx, inv, o)
}

// open opens what o names, and brings the window to the front. It returns once
// all is shown, but for standard input, which it follows to its end, and for
// files that the user is asked about.
func (u *ui) open(ctx context.Context, inv *unique.Invocation, o *options) (exitCode int) {
	r := &request{who: who(inv), dir: inv.Dir, newWindow: o.newWindow, activation: inv.Activation}
	for _, name := range o.files {
		d := resolve(inv, name)
		if d.err != nil && !errors.Is(d.err, fs.ErrNotExist) {
			fmt.Fprintf(inv.Stderr, "desktop: %v\n", d.err)
			exitCode = exitFailed
		}
		r.docs = append(r.docs, d)
	}
	if o.wait {
		r.errand = &errand{inv: inv, left: len(r.docs), exit: inv.Defer()}
	}
	var input *tab
	u.do(func() { input = u.show(r) })
	if o.wait {
		context.AfterFunc(ctx, func() {
			u.do(func() { u.forget(r) })
		})
	}
	if input == nil {
		return exitCode
	}
	return max(exitCode, input.follow(inv.Stdin))
}

// resolve reads what name means to the caller: a path from its directory, or a
// URI, which is what desktops pass.
func resolve(inv *unique.Invocation, name string) document {
	if name == "-" {
		return document{name: fmt.Sprintf("input of pid %d", inv.Peer.PID)}
	}
	path, err := "", error(nil)
	if strings.HasPrefix(name, "file:") {
		path, err = inv.TargetPath(name)
	} else {
		path, err = inv.Path(name)
	}
	if err != nil {
		return document{err: fmt.Errorf("%s: %w", name, err)}
	}
	return read(path)
}

// who tells who asked: the process by the kernel's word, or whom the bus names.
func who(inv *unique.Invocation) string {
	if len(inv.Data) > 0 {
		return string(inv.Data[0])
	}
	if inv.Peer.PID == os.Getpid() {
		return fmt.Sprintf("pid %d (this one)", inv.Peer.PID)
	}
	return fmt.Sprintf("pid %d", inv.Peer.PID)
}

// follow shows what arrives on r until it ends or the tab is closed, and returns
// the exit code of the launch that it belongs to.
func (t *tab) follow(r io.Reader) (exitCode int) {
	result := make(chan int, 1)
	go func() { // a Read that is under way ends with the invocation
		result <- t.copy(r)
	}()
	select {
	case code := <-result:
		return code
	case <-t.closed:
		return 0
	}
}

func (t *tab) copy(r io.Reader) (exitCode int) {
	u := t.window.ui
	buf := make([]byte, 32<<10)
	var text, rest []byte
	for size := 0; ; {
		n, err := r.Read(buf)
		size += n
		text, rest = cutRune(append(rest, buf[:n]...))
		if err != nil {
			text, rest = append(text, rest...), nil
		}
		shown := strings.ToValidUTF8(string(text), "\uFFFD")
		u.do(func() { t.append(shown) })
		switch {
		case size > maxText:
			u.do(func() {
				u.note(fmt.Sprintf("%s is over %d MiB: the rest is left out", t.doc.name, maxText>>20))
			})
			return exitFailed
		case errors.Is(err, io.EOF):
			return 0
		case err != nil:
			return exitFailed
		}
	}
}
