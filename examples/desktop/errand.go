package main

import (
	"github.com/solomq/solomq/unique"
)

// An errand is a launch that waits for what it asked for (-wait): it is over when
// all of its tabs are closed. That of a launch that does not wait is nil. Like
// all of the user interface it is used on Fyne's goroutine only.
type errand struct {
	inv  *unique.Invocation
	left int            // tabs and questions
	code int            // its exit code
	exit func(code int) // of inv.Defer
}

// done says that one of its tabs is closed, or was never opened.
func (e *errand) done(code int) {
	if e == nil || e.left == 0 {
		return
	}
	e.code = max(e.code, code)
	if e.left--; e.left == 0 {
		e.exit(e.code)
	}
}

// cancel says that the user did not want one of its tabs, or what was in it.
func (e *errand) cancel() {
	if e != nil && e.left > 0 {
		e.inv.Answer = unique.AnswerCanceled
		e.done(exitFailed)
	}
}
