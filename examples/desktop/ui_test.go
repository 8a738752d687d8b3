package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

const patience = 30 * time.Second

// serving is the process with the windows, on a screen in memory.
func serving(t *testing.T) (*ui, *unique.Options) {
	t.Helper()
	opts := uniquetest.Options(t)
	inst, err := unique.Acquire(t.Context(), appID, opts)
	require.NoError(t, err)
	u := newUI(test.NewTempApp(t), inst)
	var screen sync.Mutex // Fyne has no goroutine of its own in tests
	u.do = func(f func()) {
		screen.Lock()
		defer screen.Unlock()
		f()
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := u.background(ctx)
	served := make(chan struct{})
	go func() {
		defer close(served)
		inst.Serve(ctx, u.commands().Dispatch)
	}()
	t.Cleanup(func() {
		cancel()
		<-served
		stopped()
		require.NoError(t, inst.Close())
	})
	return u, opts
}

// A launched is what became of a launch.
type launched struct {
	code           int
	answer         unique.Answer
	stdout, stderr string
}

// launch is another process that runs desktop with args in dir.
func launch(t *testing.T, opts *unique.Options, dir string, args ...string) <-chan launched {
	t.Helper()
	done := make(chan launched, 1)
	go func() {
		defer close(done)
		other, err := unique.Acquire(t.Context(), appID, opts)
		if err != nil {
			t.Error(err)
			return
		}
		defer other.Close()
		var out, complaint strings.Builder
		inv := &unique.Invocation{Args: append([]string{"desktop"}, args...), Dir: dir, Stdin: strings.NewReader("typed\n"), Stdout: &out, Stderr: &complaint}
		code, err := other.Forward(t.Context(), inv)
		if err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		done <- launched{code, inv.Answer, out.String(), complaint.String()}
	}()
	return done
}

func result(t *testing.T, done <-chan launched) launched {
	t.Helper()
	select {
	case l := <-done:
		return l
	case <-time.After(patience):
		t.Fatal("the launch has not ended")
		return launched{}
	}
}

func TestLaunchesShareOneWindow(t *testing.T) {
	u, opts := serving(t)
	dir := t.TempDir()
	for _, name := range []string{"a.txt", "b c.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("text of "+name), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "binary"), []byte{0}, 0o600))
	require.NoError(t, os.Symlink("a.txt", filepath.Join(dir, "link")))

	require.Zero(t, result(t, launch(t, opts, dir, "a.txt")).code)
	require.Zero(t, result(t, launch(t, opts, "/", "file://"+dir+"/b%20c.txt")).code)
	require.Zero(t, result(t, launch(t, opts, dir, "link", "a.txt")).code, "it is open already")
	list := result(t, launch(t, opts, dir, "-list"))
	require.Equal(t, filepath.Join(dir, "a.txt")+"\n"+filepath.Join(dir, "b c.txt")+"\n", list.stdout)
	require.Len(t, u.windows, 1)
	require.Equal(t, "a.txt - "+appName, u.windows[0].Title(), "the last one asked for is selected")
	status, err := u.status.Get()
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("pid %d (this one) in %s asked for link, a.txt", os.Getpid(), dir), status)
	recent := []string{filepath.Join(dir, "b c.txt"), filepath.Join(dir, "a.txt")}
	shown, err := u.recent.Get()
	require.NoError(t, err)
	require.Equal(t, recent, shown)
	require.Equal(t, recent, u.app.Preferences().StringList(recentKey), "for the next process")

	refused := result(t, launch(t, opts, dir, "binary"))
	require.Equal(t, exitFailed, refused.code)
	require.Contains(t, refused.stderr, "is not a text file")

	require.Zero(t, result(t, launch(t, opts, dir, "-")).code)
	require.Equal(t, "typed\n", u.windows[0].all()[2].text.Text)
	require.Zero(t, result(t, launch(t, opts, dir, "-new-window")).code)
	require.Len(t, u.windows, 2)
}

func TestWaitEndsWithItsTabs(t *testing.T) {
	u, opts := serving(t)
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	tabs := func(n int) (all []*tab) {
		require.Eventually(t, func() bool {
			list := result(t, launch(t, opts, dir, "-list")).stdout
			return strings.Count(list, "\n") == n
		}, patience, time.Millisecond)
		u.do(func() { all = u.windows[0].all() })
		return all
	}

	both := launch(t, opts, dir, "-wait", "a", "b")
	first := tabs(2)[0]
	u.do(func() { first.askClose(nil) })
	rest := tabs(1)
	select {
	case <-both:
		t.Fatal("there still is b")
	default:
	}
	u.do(func() {
		rest[0].text.SetText("changed")
		rest[0].save(nil)
		rest[0].askClose(nil)
	})
	require.Equal(t, launched{answer: unique.AnswerOK}, result(t, both))
	text, err := os.ReadFile(filepath.Join(dir, "b"))
	require.NoError(t, err)
	require.Equal(t, "changed", string(text))

	// What is not saved is asked about, and to discard it is to cancel.
	one := launch(t, opts, dir, "-wait", "a")
	a := tabs(1)[0]
	u.do(func() {
		a.text.SetText("lost")
		a.askClose(nil)
		require.NotNil(t, a.window.Canvas().Overlays().Top())
	})
	require.Len(t, tabs(1), 1)
	u.do(func() {
		a.finish((*errand).cancel)
		a.close()
	})
	require.Equal(t, launched{code: exitFailed, answer: unique.AnswerCanceled}, result(t, one))

	// So it is to close the window on a question.
	missing := launch(t, opts, dir, "-wait", "missing")
	require.Eventually(t, func() (asked bool) {
		u.do(func() { asked = len(u.windows[0].offers) == 1 })
		return asked
	}, patience, time.Millisecond)
	u.do(func() { u.windows[0].askClose() })
	require.Equal(t, exitFailed, result(t, missing).code)
	require.NoFileExists(t, filepath.Join(dir, "missing"))
}

// Two that ask for one file that does not exist get one tab.
func TestMissingFileIsAskedAboutTwice(t *testing.T) {
	u, opts := serving(t)
	path := filepath.Join(t.TempDir(), "new")
	for range 2 {
		require.Zero(t, result(t, launch(t, opts, "/", path)).code)
	}
	u.do(func() {
		for range 2 { // the later question is in front
			dialog := u.windows[0].Canvas().Overlays().Top()
			require.NotNil(t, dialog)
			test.Tap(button(t, dialog, "Create"))
		}
		require.Nil(t, u.windows[0].Canvas().Overlays().Top())
	})
	require.Equal(t, path+"\n", result(t, launch(t, opts, "/", "-list")).stdout)
	require.FileExists(t, path)
}

// button finds the button with that text.
func button(t *testing.T, in fyne.CanvasObject, text string) *widget.Button {
	t.Helper()
	for _, o := range test.LaidOutObjects(in) {
		if b, ok := o.(*widget.Button); ok && b.Text == text {
			return b
		}
	}
	t.Fatalf("there is no button %q", text)
	return nil
}

// To quit is to close all windows: what is not saved is asked about.
func TestQuitAsks(t *testing.T) {
	u, opts := serving(t)
	for range 2 {
		require.Zero(t, result(t, launch(t, opts, "/", "-new-window")).code)
	}
	u.do(func() {
		w := u.windows[0]
		note := w.add(document{name: "note"})
		note.text.SetText("not saved")
		quit := w.MainMenu().Items[0].Items
		quit[len(quit)-1].Action()
		require.Equal(t, []*window{w}, u.windows)
		test.Tap(button(t, w.Canvas().Overlays().Top(), "Discard"))
		require.Empty(t, u.windows)
	})
}

func TestSay(t *testing.T) {
	u, opts := serving(t)
	other, err := unique.Acquire(t.Context(), appID, opts)
	require.NoError(t, err)
	defer other.Close()
	require.NoError(t, say(t.Context(), other, "hello"))
	require.Eventually(t, func() bool {
		line, err := u.channel.GetValue(0)
		return err == nil && strings.HasSuffix(line, " says: hello")
	}, patience, time.Millisecond)
}
