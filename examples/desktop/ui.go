package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/data/binding"
	"fyne.io/fyne/v2/dialog"

	"github.com/solomq/solomq/unique"
)

const (
	appName   = "SoloMQ Notes"
	maxRecent = 12  // files in the recent list
	maxLines  = 200 // of the channel that are kept
	recentKey = "recent"
)

// A ui is all windows of the application, and what they show alike. It is used on
// Fyne's goroutine only, but for its inst.
type ui struct {
	app     fyne.App
	inst    *unique.Instance
	do      func(func()) // on Fyne's goroutine, and waits for it; nothing after quit
	windows []*window    // that was used last comes last
	parked  fyne.Window  // the one that was closed last; Fyne ends without any

	status  binding.String     // who asked for what
	recent  binding.StringList // paths
	channel binding.StringList // lines, the newest first

	calls sync.RWMutex // held to read while Fyne is called from elsewhere
	over  bool
}

func newUI(a fyne.App, inst *unique.Instance) *ui {
	u := &ui{app: a, inst: inst, status: binding.NewString(), recent: binding.NewStringList(), channel: binding.NewStringList()}
	u.do = u.call
	u.recent.Set(a.Preferences().StringList(recentKey))
	return u
}

// background starts what feeds the windows: the channel and the bus. stop ends
// both, and waits for them.
func (u *ui) background(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	for _, task := range []func(context.Context, *unique.Instance) error{u.listen, serveBus} {
		running.Go(func() {
			if err := task(ctx, u.inst); err != nil && ctx.Err() == nil {
				u.do(func() { u.note(err.Error()) })
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// call is do, with the toolkit that people see.
func (u *ui) call(f func()) {
	u.calls.RLock()
	defer u.calls.RUnlock()
	if !u.over {
		fyne.DoAndWait(f)
	}
}

// quit ends the application, from any goroutine but Fyne's, when nobody calls it
// any more: Fyne does not bear that.
func (u *ui) quit() {
	u.calls.Lock()
	defer u.calls.Unlock()
	u.over = true
	fyne.Do(u.app.Quit)
}

// A request is what a launch asks the windows for.
type request struct {
	who, dir   string
	docs       []document
	newWindow  bool
	activation unique.Activation
	errand     *errand
}

// show opens the documents of r, and the window with the last of them comes to the
// front. It returns the tab of the one without a file, if there is one.
func (u *ui) show(r *request) (input *tab) {
	var w *window // for what is not open yet
	target := func() *window {
		switch {
		case w != nil:
		case r.newWindow || len(u.windows) == 0:
			w = u.newWindow()
		default:
			w = u.windows[len(u.windows)-1]
		}
		return w
	}
	top := (*window)(nil)
	var refused []error
	var names []string
	for _, d := range r.docs {
		names = append(names, d.title())
		open := u.find(d.path)
		switch {
		case open != nil:
			open.await(r.errand)
			top = open.window
		case errors.Is(d.err, fs.ErrNotExist):
			top = target()
			top.offer(d.path, r.errand)
		case d.err != nil:
			refused = append(refused, d.err)
			r.errand.done(exitFailed)
		default:
			top = target()
			t := top.add(d)
			t.await(r.errand)
			if d.path == "" {
				input = t
			}
		}
	}
	if top == nil {
		top = target()
	}
	if len(refused) > 0 {
		dialog.ShowError(errors.Join(refused...), top)
	}
	top.raise(r.activation)
	what := r.asks(names)
	u.status.Set(r.who + " in " + r.dir + " " + what)
	u.log(r.who + " " + what)
	return input
}

// asks says what r asked for.
func (r *request) asks(names []string) string {
	what := "asked for the window"
	switch {
	case len(names) > 0:
		what = "asked for " + strings.Join(names, ", ")
	case r.newWindow:
		what = "asked for a new window"
	}
	if r.errand != nil {
		what += " and waits"
	}
	return what
}

// forget is for a launch that does not wait any more, of its own accord.
func (u *ui) forget(r *request) {
	if r.errand.left > 0 {
		r.errand.left = 0
		u.note(r.who + " does not wait any more")
	}
}

// note shows a line in the status bar and in the channel.
func (u *ui) note(line string) {
	u.status.Set(line)
	u.log(line)
}

// log shows a line in the channel.
func (u *ui) log(line string) {
	lines, _ := u.channel.Get()
	lines = append([]string{time.Now().Format("15:04:05 ") + line}, lines...)
	u.channel.Set(lines[:min(len(lines), maxLines)])
}

// remember puts path first in the recent list.
func (u *ui) remember(path string) {
	paths, _ := u.recent.Get()
	paths = append([]string{path}, slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return p == path })...)
	paths = paths[:min(len(paths), maxRecent)]
	u.recent.Set(paths)
	u.app.Preferences().SetStringList(recentKey, paths)
}

// find returns the tab that has the file at path, by whatever name.
func (u *ui) find(path string) *tab {
	if path == "" {
		return nil
	}
	info, _ := os.Stat(path)
	for _, w := range u.windows {
		for _, t := range w.all() {
			if t.doc.path == "" {
				continue
			}
			other, _ := os.Stat(t.doc.path)
			if t.doc.path == path || info != nil && other != nil && os.SameFile(info, other) {
				return t
			}
		}
	}
	return nil
}

// list is a line for each tab.
func (u *ui) list() string {
	var lines strings.Builder
	for _, w := range u.windows {
		for _, t := range w.all() {
			fmt.Fprintln(&lines, t.doc.full())
		}
	}
	return lines.String()
}

// title is what to call d in a tab.
func (d *document) title() string {
	if d.path != "" {
		return filepath.Base(d.path)
	}
	return d.name
}

// full is its path, or what to call it if it has none.
func (d *document) full() string {
	if d.path != "" {
		return d.path
	}
	return d.name
}

// ask is what the user does in a window: a request of the process to itself, so
// that there is one way to open a file.
func (u *ui) ask(command string, targets ...string) {
	go func() {
		inv := (&unique.Invocation{Dir: "/"}).WithCommand(command, targets...)
		inv.Data = [][]byte{[]byte("you")}
		u.inst.Forward(context.Background(), inv)
	}()
}
