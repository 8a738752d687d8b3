package main

import (
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A tab is a document that is open in a window.
type tab struct {
	window  *window
	item    *container.TabItem
	text    *widget.Entry
	doc     document // its text is what is on the disk
	waiting []*errand
	closed  chan struct{}
}

// add opens d in a new tab.
func (w *window) add(d document) *tab {
	t := &tab{window: w, doc: d, text: widget.NewMultiLineEntry(), closed: make(chan struct{})}
	t.text.TextStyle.Monospace = true
	t.text.SetText(d.text)
	t.text.OnChanged = func(string) { t.retitle() }
	t.item = container.NewTabItemWithIcon(d.title(), theme.FileTextIcon(), t.text)
	w.byItem[t.item] = t
	w.tabs.Append(t.item)
	w.tabs.Select(t.item)
	w.selected()
	if d.path != "" {
		w.ui.remember(d.path)
	}
	return t
}

// await selects the tab, and lets e, if it is not nil, wait until it is closed.
func (t *tab) await(e *errand) {
	if e != nil {
		t.waiting = append(t.waiting, e)
	}
	t.window.tabs.Select(t.item)
}

// append shows text that has arrived. It is not a change that needs saving.
func (t *tab) append(text string) {
	t.doc.text += text
	t.text.Append(text)
}

// dirty tells whether there is something that only the tab has.
func (t *tab) dirty() bool { return t.text.Text != t.doc.text }

func (t *tab) retitle() {
	title := t.doc.title()
	if t.dirty() {
		title = "• " + title
	}
	if title != t.item.Text {
		t.item.Text = title
		t.window.tabs.Refresh()
		t.window.selected()
	}
}

// save writes the text to its file and calls then. Without a file it asks for one.
func (t *tab) save(then func()) {
	if t.doc.path == "" {
		dialog.ShowFileSave(func(f fyne.URIWriteCloser, err error) {
			if err != nil {
				dialog.ShowError(err, t.window)
			} else if f != nil {
				f.Close()
				t.doc.path = f.URI().Path()
				t.save(then)
			}
		}, t.window)
		return
	}
	text := t.text.Text
	if err := os.WriteFile(t.doc.path, []byte(text), 0o666); err != nil {
		dialog.ShowError(err, t.window)
		return
	}
	t.doc.text = text
	t.window.ui.remember(t.doc.path)
	t.window.ui.note("saved " + t.doc.path)
	t.retitle()
	if then != nil {
		then()
	}
}

// askClose closes the tab and calls then, if there is one. If there are changes,
// the user may have them saved, or keep the tab, and then is not called.
func (t *tab) askClose(then func()) {
	closeIt := func() {
		t.close()
		if then != nil {
			then()
		}
	}
	if !t.dirty() {
		closeIt()
		return
	}
	d := dialog.NewCustomWithoutButtons("Unsaved changes", widget.NewLabel("Save the changes to "+t.doc.title()+"?"), t.window)
	save := widget.NewButtonWithIcon("Save", theme.DocumentSaveIcon(), func() { d.Hide(); t.save(closeIt) })
	save.Importance = widget.HighImportance
	d.SetButtons([]fyne.CanvasObject{
		widget.NewButton("Keep editing", d.Hide),
		widget.NewButton("Discard", func() {
			d.Hide()
			t.finish((*errand).cancel)
			closeIt()
		}),
		save,
	})
	d.Show()
}

// close closes the tab, whatever is in it.
func (t *tab) close() {
	t.finish(func(e *errand) { e.done(0) })
	w := t.window
	if _, open := w.byItem[t.item]; !open {
		return
	}
	close(t.closed)
	w.tabs.Remove(t.item)
	delete(w.byItem, t.item)
	w.selected()
}

// finish tells those who wait for the tab.
func (t *tab) finish(tell func(*errand)) {
	for _, e := range t.waiting {
		tell(e)
	}
	t.waiting = nil
}
