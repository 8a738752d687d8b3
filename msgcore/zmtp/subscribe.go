package zmtp

// The first byte of a subscription that is sent as a message (RFC 23).
const (
	messageCancel    = 0
	messageSubscribe = 1
)

// AppendSubscribe appends the frame that subscribes to messages which start with
// prefix: a SUBSCRIBE command from version 3.1 on (RFC 37, The pub-sub commands),
// a message of 01 and the prefix before.
func AppendSubscribe(dst []byte, prefix []byte, v Version) []byte {
	return appendSubscription(dst, CommandSubscribe, messageSubscribe, prefix, v)
}

// AppendCancel appends the frame that takes back one AppendSubscribe.
func AppendCancel(dst []byte, prefix []byte, v Version) []byte {
	return appendSubscription(dst, CommandCancel, messageCancel, prefix, v)
}

func appendSubscription(dst []byte, name string, code byte, prefix []byte, v Version) []byte {
	if v.Major > 3 || v.Major == 3 && v.Minor >= 1 {
		return AppendCommand(dst, name, prefix)
	}
	dst = AppendHeader(dst, 0, 1+len(prefix))
	dst = append(dst, code)
	return append(dst, prefix...)
}

// ParseSubscription reads f as a subscription or a cancellation, in either form:
// libzmq accepts both from any version. ok is false if f is neither. prefix is a
// part of f.Body.
//
// Any message that starts with 00 or 01 reads as one: ask only for what comes from a
// SUB or XSUB, and for the first frame of a message.
func ParseSubscription(f Frame) (prefix []byte, subscribe, ok bool) {
	if !f.Command {
		if len(f.Body) == 0 || f.Body[0] > messageSubscribe {
			return nil, false, false
		}
		return f.Body[1:], f.Body[0] == messageSubscribe, true
	}
	name, data, err := ParseCommand(f.Body)
	if err != nil || name != CommandSubscribe && name != CommandCancel {
		return nil, false, false
	}
	return data, name == CommandSubscribe, true
}
