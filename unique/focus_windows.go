package unique

import "golang.org/x/sys/windows"

var allowSetForegroundWindow = windows.NewLazySystemDLL("user32.dll").NewProc("AllowSetForegroundWindow")

// focusBefore: the primary that gets a request has the right to the focus already.
const focusBefore = true

// passFocus lets the primary bring its window to the front: the process that the
// user has just started has that right, and only as long as it lives. If the
// system refuses, the window's button flashes instead, which nobody can help.
func passFocus(pid int) {
	if allowSetForegroundWindow.Find() == nil {
		_, _, _ = allowSetForegroundWindow.Call(uintptr(uint32(pid)))
	}
}
