package unique

import (
	"os"

	"golang.org/x/sys/windows"
)

// terminalSize reports whether f is a console, and the size of its window.
func terminalSize(f *os.File) (rows, columns int, ok bool) {
	if f == nil {
		return 0, 0, false
	}
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil {
		return 0, 0, false
	}
	var info windows.ConsoleScreenBufferInfo
	if windows.GetConsoleScreenBufferInfo(h, &info) != nil { // an input has no size
		return 0, 0, true
	}
	return int(info.Window.Bottom-info.Window.Top) + 1, int(info.Window.Right-info.Window.Left) + 1, true
}
