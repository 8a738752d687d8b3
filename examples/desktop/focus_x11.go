//go:build (linux || freebsd || openbsd || netbsd || dragonfly) && !wayland

package main

/*
#cgo LDFLAGS: -lX11
#include <stdlib.h>
#include <string.h>
#include <X11/Xatom.h>
#include <X11/Xlib.h>

static XEvent message(Display *d, Window about, const char *type, int format) {
	XEvent e = {.xclient = {.type = ClientMessage, .window = about, .format = format}};
	e.xclient.message_type = XInternAtom(d, type, False);
	return e;
}

// name says of which launch w is.
static void name(Display *d, Window w, const char *id) {
	XChangeProperty(d, w, XInternAtom(d, "_NET_STARTUP_ID", False), XInternAtom(d, "UTF8_STRING", False), 8,
		PropModeReplace, (const unsigned char *)id, strlen(id));
}

// focus asks the window manager to activate w because of what the user did at time.
static void focus(Display *d, Window w, unsigned long time) {
	XChangeProperty(d, w, XInternAtom(d, "_NET_WM_USER_TIME", False), XA_CARDINAL, 32,
		PropModeReplace, (const unsigned char *)&time, 1);
	XEvent e = message(d, w, "_NET_ACTIVE_WINDOW", 32);
	e.xclient.data.l[0] = 1; // an application asks
	e.xclient.data.l[1] = time;
	XSendEvent(d, DefaultRootWindow(d), False, SubstructureRedirectMask | SubstructureNotifyMask, &e);
}

// broadcast sends text with its final zero to all who follow startups, 20 bytes at a time.
static void broadcast(Display *d, const char *text) {
	Window root = DefaultRootWindow(d), us = XCreateSimpleWindow(d, root, -1, -1, 1, 1, 0, 0, 0);
	size_t left = strlen(text) + 1;
	for (const char *type = "_NET_STARTUP_INFO_BEGIN"; left > 0; type = "_NET_STARTUP_INFO") {
		XEvent e = message(d, us, type, 8);
		size_t n = left < 20 ? left : 20;
		memcpy(e.xclient.data.b, text, n);
		XSendEvent(d, root, False, PropertyChangeMask, &e);
		text += n, left -= n;
	}
	XSync(d, False); // who reads it looks at our window first
	XDestroyWindow(d, us);
}

static void activate(Window w, const char *id, unsigned long time, const char *done) {
	Display *d = XOpenDisplay(NULL);
	if (d == NULL) return;
	name(d, w, id);
	if (time != 0) focus(d, w, time);
	broadcast(d, done);
	XCloseDisplay(d);
}
*/
import "C"

import (
	"cmp"
	"unsafe"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver"

	"github.com/solomq/solomq/unique"
)

// activate uses the startup id of the launch, by the Startup Notification
// Specification: its time is that of the user's click, by which the window manager
// may give the window the focus, and the launch is told to be complete, which ends
// the busy pointer. Fyne does neither. It is Xlib because Fyne links that already.
func activate(w fyne.Window, a unique.Activation) {
	native, ok := w.(driver.NativeWindow)
	token := cmp.Or(a.StartupID, a.Token) // on X11 they are one and the same, and some launchers name it Token only
	if token == "" || !ok {
		return
	}
	native.RunNative(func(c any) {
		x11, ok := c.(driver.X11WindowContext)
		if !ok || x11.WindowHandle == 0 {
			return
		}
		id, done := C.CString(token), C.CString(removal(token))
		C.activate(C.Window(x11.WindowHandle), id, C.ulong(startupTime(token)), done)
		C.free(unsafe.Pointer(id))
		C.free(unsafe.Pointer(done))
	})
}
