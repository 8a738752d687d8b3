package mcast

import (
	"encoding/binary"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ControlSize is how much room Split needs in the OOB of a message, in bytes.
var ControlSize = unix.CmsgSpace(4)

// joinable reports whether the system sends several packets as one. Asking is
// necessary: an old kernel takes no notice of what it does not know.
func joinable(rc syscall.RawConn) (ok bool) {
	_ = rc.Control(func(fd uintptr) {
		_, err := unix.GetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT)
		ok = err == nil
	})
	return ok
}

// receiveJoined has packets that came together be read as one. A system that does
// not know how goes on giving each by itself.
func receiveJoined(rc syscall.RawConn) {
	_ = rc.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_GRO, 1)
	})
}

// joinSegments returns the control message for packets of so many bytes, in b if
// that has room.
func joinSegments(b []byte, size int) []byte {
	if n := unix.CmsgSpace(2); cap(b) < n {
		b = make([]byte, n)
	} else {
		b = b[:n]
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(b)))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(b[unix.CmsgLen(0):], uint16(size))
	return b
}

// segmentSize returns what control messages say of the packets' size; 0 if nothing.
func segmentSize(oob []byte) int {
	for len(oob) >= unix.CmsgLen(4) {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0
		}
		if h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(data) >= 4 {
			return int(binary.NativeEndian.Uint32(data))
		}
		oob = rest
	}
	return 0
}
