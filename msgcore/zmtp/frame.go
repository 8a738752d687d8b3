package zmtp

import (
	"encoding/binary"
	"fmt"
)

// The bits of a frame's flags byte (RFC 37, Framing).
const (
	FlagMore    = 1 // another frame of the same message follows
	FlagLong    = 2 // the size takes eight bytes instead of one
	FlagCommand = 4 // a command, no message
)

// MaxHeader is the size of the longest frame header in bytes.
const MaxHeader = 9

// A Frame is one ZMTP frame, without its header.
type Frame struct {
	// More says that another frame of the same message follows. A command never
	// has it.
	More bool
	// Command says that Body is a command; see ParseCommand.
	Command bool
	// Body is the content.
	Body []byte
}

// flags returns f's flags byte, without FlagLong.
func (f Frame) flags() byte {
	switch {
	case f.Command:
		return FlagCommand
	case f.More:
		return FlagMore
	}
	return 0
}

// AppendHeader appends the header of a frame of n body bytes to dst. Of flags,
// FlagMore and FlagCommand count; FlagLong follows from n. A command has no
// FlagMore, so that it is left out beside FlagCommand. n must not be negative.
func AppendHeader(dst []byte, flags byte, n int) []byte {
	flags &= FlagMore | FlagCommand
	if flags&FlagCommand != 0 {
		flags = FlagCommand
	}
	if n <= 255 {
		return append(dst, flags, byte(n))
	}
	dst = append(dst, flags|FlagLong)
	return binary.BigEndian.AppendUint64(dst, uint64(n))
}

// ParseHeader reads the frame header that b starts with: the flags as sent, the
// size n of the body, and the size of the header itself, which is 0 if b ends
// before the header does. A long header is accepted for any n. The error is a
// *ProtocolError: reserved bits, a command with MORE, or a size over 2^63-1.
//
// No n is too large for ParseHeader otherwise: compare it with your own limit
// before you allocate.
func ParseHeader(b []byte) (flags byte, n uint64, size int, err error) {
	if len(b) == 0 {
		return 0, 0, 0, nil
	}
	flags = b[0]
	if flags > FlagMore|FlagLong|FlagCommand || flags&(FlagMore|FlagCommand) == FlagMore|FlagCommand {
		return flags, 0, 0, badFlags(flags)
	}
	if flags&FlagLong == 0 {
		if len(b) < 2 {
			return flags, 0, 0, nil
		}
		return flags, uint64(b[1]), 2, nil
	}
	if len(b) < MaxHeader {
		return flags, 0, 0, nil
	}
	n = binary.BigEndian.Uint64(b[1:MaxHeader])
	if n>>63 != 0 {
		return flags, n, 0, badSize(n)
	}
	return flags, n, MaxHeader, nil
}

// The errors are made apart from ParseHeader, which runs once for every frame.

func badFlags(flags byte) error {
	if flags > FlagMore|FlagLong|FlagCommand {
		return &ProtocolError{Rule: fmt.Sprintf("frame with flags %#02x: the upper five bits are reserved", flags)}
	}
	return &ProtocolError{Rule: "command frame with the MORE flag: a command is one frame"}
}

func badSize(n uint64) error {
	return &ProtocolError{Rule: fmt.Sprintf("frame of %d bytes: a size has 63 bits at most", n)}
}
