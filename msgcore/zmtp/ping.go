package zmtp

import (
	"encoding/binary"
	"time"
)

const (
	// MaxPingTTL is the largest time to live that AppendPing sends. The wire has
	// room for 6553.5 s, but libzmq counts it in 16 bits of milliseconds and
	// would wrap around: 66 s, for example, become less than half a second.
	MaxPingTTL = 65500 * time.Millisecond
	// MaxPingContext is the longest context of a PING in bytes.
	MaxPingContext = 16

	ttlUnit = 100 * time.Millisecond
)

// AppendPing appends a PING command frame to dst (RFC 37, Connection
// heartbeating). It asks the peer to give the connection up when nothing arrives
// from this side for ttl; 0 does not ask. ttl is rounded up to a tenth of a
// second and cut to MaxPingTTL, a negative one is 0. Of context, MaxPingContext
// bytes are sent.
func AppendPing(dst []byte, ttl time.Duration, context []byte) []byte {
	context = cut(context, MaxPingContext)
	ttl = min(max(ttl, 0), MaxPingTTL)
	units := (ttl + ttlUnit - 1) / ttlUnit
	dst = AppendHeader(dst, FlagCommand, 1+len(CommandPing)+2+len(context))
	dst = appendCommandBody(dst, CommandPing, nil)
	dst = binary.BigEndian.AppendUint16(dst, uint16(units))
	return append(dst, context...)
}

// ParsePing reads the data of a PING command. ttl is what the peer asks for, 0 to
// 6553.5 s, 0 for nothing. context is a part of data, cut to MaxPingContext. The
// error is a *ProtocolError.
func ParsePing(data []byte) (ttl time.Duration, context []byte, err error) {
	if len(data) < 2 {
		return 0, nil, &ProtocolError{Rule: "PING command that ends within its time to live"}
	}
	ttl = time.Duration(binary.BigEndian.Uint16(data)) * ttlUnit
	return ttl, cut(data[2:], MaxPingContext), nil
}

// AppendPong appends a PONG command frame, the answer to a PING of that context,
// to dst. Of context, MaxPingContext bytes are sent.
func AppendPong(dst, context []byte) []byte {
	return AppendCommand(dst, CommandPong, cut(context, MaxPingContext))
}
