package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/data/binding"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/solomq/solomq/unique"
)

// A window is one of the application's windows.
type window struct {
	fyne.Window
	ui      *ui
	tabs    *container.DocTabs
	byItem  map[*container.TabItem]*tab
	offers  map[*errand]int // questions whether to create a file, by who waits for the answer
	release func()          // of the instance, which ends without windows
}

func (u *ui) newWindow() *window {
	w := &window{Window: u.app.NewWindow(appName), ui: u, byItem: map[*container.TabItem]*tab{}, offers: map[*errand]int{}}
	w.release = u.inst.Hold()
	u.inst.SetIdle(time.Millisecond) // from now on it ends with its windows
	u.windows = append(u.windows, w)
	w.tabs = container.NewDocTabs()
	w.tabs.CloseIntercept = func(item *container.TabItem) { w.byItem[item].askClose(nil) }
	w.tabs.OnSelected = func(item *container.TabItem) { w.selected() }
	w.SetMainMenu(w.menu())
	w.SetContent(w.layout())
	w.SetCloseIntercept(w.askClose)
	w.SetOnDropped(func(_ fyne.Position, uris []fyne.URI) {
		var names []string
		for _, uri := range uris {
			names = append(names, uri.String())
		}
		u.ask(unique.CommandOpen, names...)
	})
	w.Resize(fyne.NewSize(900, 600))
	w.Show()
	if u.parked != nil {
		u.parked.Close()
		u.parked = nil
	}
	return w
}

// layout is the tabs beside the lists, above the status line.
func (w *window) layout() fyne.CanvasObject {
	recent := w.linesOf(w.ui.recent, filepath.Base, func(path string) { w.ui.ask(unique.CommandOpen, path) })
	channel := w.linesOf(w.ui.channel, func(line string) string { return line }, func(string) {})
	lists := container.NewVSplit(titled("Recent", recent), titled("Channel", channel))
	hint := widget.NewLabelWithStyle("Open a file, drop one here, or type\ndesktop FILE", fyne.TextAlignCenter, fyne.TextStyle{})
	hint.Importance = widget.LowImportance
	split := container.NewHSplit(container.NewStack(container.NewCenter(hint), w.tabs), lists)
	split.SetOffset(0.68)
	status := widget.NewLabelWithData(w.ui.status)
	status.Truncation = fyne.TextTruncateEllipsis
	bar := container.NewBorder(widget.NewSeparator(), nil, widget.NewIcon(theme.InfoIcon()), nil, status)
	return container.NewBorder(nil, bar, nil, nil, split)
}

func titled(title string, content fyne.CanvasObject) fyne.CanvasObject {
	head := widget.NewLabelWithStyle(title, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	return container.NewBorder(container.New(layout.NewCustomPaddedVBoxLayout(0), head, widget.NewSeparator()), nil, nil, nil, content)
}

// linesOf is a list of lines, each of which can be chosen.
func (w *window) linesOf(lines binding.StringList, show func(string) string, choose func(string)) *widget.List {
	list := widget.NewListWithData(lines,
		func() fyne.CanvasObject {
			label := widget.NewLabel("")
			label.Truncation = fyne.TextTruncateEllipsis
			label.SizeName = theme.SizeNameCaptionText
			return label
		},
		func(item binding.DataItem, o fyne.CanvasObject) {
			line, _ := item.(binding.String).Get()
			o.(*widget.Label).SetText(show(line))
		})
	list.HideSeparators = true
	list.OnSelected = func(i widget.ListItemID) {
		list.UnselectAll()
		if line, err := lines.GetValue(i); err == nil {
			choose(line)
		}
	}
	return list
}

// menu has its own way to quit: that of Fyne would ask about nothing.
func (w *window) menu() *fyne.MainMenu {
	item := func(label string, key fyne.KeyName, mod fyne.KeyModifier, do func()) *fyne.MenuItem {
		i := fyne.NewMenuItem(label, do)
		i.Shortcut = &desktop.CustomShortcut{KeyName: key, Modifier: mod | fyne.KeyModifierShortcutDefault}
		return i
	}
	quit := item("Quit", fyne.KeyQ, 0, w.ui.closeAll)
	quit.IsQuit = true
	return fyne.NewMainMenu(fyne.NewMenu("File",
		item("New note", fyne.KeyN, 0, func() { w.add(document{name: "note"}) }),
		item("New window", fyne.KeyN, fyne.KeyModifierShift, func() { w.ui.ask(unique.CommandNew) }),
		item("Open…", fyne.KeyO, 0, w.chooseFile),
		fyne.NewMenuItemSeparator(),
		item("Save", fyne.KeyS, 0, func() { w.withSelected(func(t *tab) { t.save(nil) }) }),
		item("Close tab", fyne.KeyW, 0, func() { w.withSelected(func(t *tab) { t.askClose(nil) }) }),
		fyne.NewMenuItemSeparator(),
		quit,
	))
}

func (w *window) chooseFile() {
	dialog.ShowFileOpen(func(f fyne.URIReadCloser, err error) {
		if err != nil {
			dialog.ShowError(err, w)
		} else if f != nil {
			f.Close()
			w.ui.ask(unique.CommandOpen, f.URI().String())
		}
	}, w)
}

// all returns the tabs in their order.
func (w *window) all() (tabs []*tab) {
	for _, item := range w.tabs.Items {
		tabs = append(tabs, w.byItem[item])
	}
	return tabs
}

func (w *window) withSelected(do func(*tab)) {
	if item := w.tabs.Selected(); item != nil {
		do(w.byItem[item])
	}
}

// selected makes the window's title that of the selected tab.
func (w *window) selected() {
	title := appName
	w.withSelected(func(t *tab) {
		title = t.item.Text + " - " + appName
		w.Canvas().Focus(t.text)
	})
	w.SetTitle(title)
}

// offer asks whether to create the file at path.
func (w *window) offer(path string, e *errand) {
	w.offers[e]++
	ask := dialog.NewConfirm("No such file", fmt.Sprintf("%s does not exist.\nShall it be made?", path), func(yes bool) {
		w.offers[e]--
		if !yes {
			e.cancel()
			return
		}
		if open := w.ui.find(path); open != nil { // somebody else was asked, too
			open.await(e)
			return
		}
		d := create(path)
		if d.err != nil {
			dialog.ShowError(d.err, w)
			e.done(exitFailed)
			return
		}
		w.add(d).await(e)
	}, w)
	ask.SetConfirmText("Create")
	ask.SetDismissText("Cancel")
	ask.Show()
}

// closeAll closes the windows, but for those in which there are changes, which ask.
func (u *ui) closeAll() {
	for _, w := range slices.Clone(u.windows) {
		w.askClose()
	}
}

// raise brings the window to the front, by the right that the launch has to it.
func (w *window) raise(a unique.Activation) {
	u := w.ui
	for i, other := range u.windows {
		if other == w {
			u.windows = append(append(u.windows[:i:i], u.windows[i+1:]...), w)
		}
	}
	w.Show()
	w.RequestFocus()
	activate(w.Window, a)
}

// askClose closes the window after its tabs, each of which may object.
func (w *window) askClose() {
	for _, t := range w.all() {
		if t.dirty() {
			w.tabs.Select(t.item)
			t.askClose(w.askClose)
			return
		}
	}
	for _, t := range w.all() {
		t.close()
	}
	for e, n := range w.offers {
		for range n {
			e.cancel()
		}
	}
	u := w.ui
	for i, other := range u.windows {
		if other == w {
			u.windows = append(u.windows[:i:i], u.windows[i+1:]...)
		}
	}
	if len(u.windows) > 0 {
		w.Close()
	} else { // Fyne would end at once, whoever is on the way here
		w.Hide()
		u.parked = w.Window
	}
	w.release()
}
