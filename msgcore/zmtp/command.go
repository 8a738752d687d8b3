package zmtp

// The names of commands. They are sent and compared exactly.
const (
	CommandReady     = "READY"
	CommandError     = "ERROR"
	CommandSubscribe = "SUBSCRIBE"
	CommandCancel    = "CANCEL"
	CommandPing      = "PING"
	CommandPong      = "PONG"
	CommandJoin      = "JOIN"
	CommandLeave     = "LEAVE"
	CommandHello     = "HELLO"
	CommandWelcome   = "WELCOME"
	CommandInitiate  = "INITIATE"
	CommandMessage   = "MESSAGE"
)

// A Command is a parsed command frame.
type Command struct {
	// Name is 1 to 255 bytes long.
	Name string
	// Data is what follows the name.
	Data []byte
}

// maxName is the longest name, and the longest reason of an ERROR.
const maxName = 255

// AppendCommand appends a whole command frame, header included, to dst. A name
// over 255 bytes is cut.
func AppendCommand(dst []byte, name string, data []byte) []byte {
	name = cut(name, maxName)
	dst = AppendHeader(dst, FlagCommand, 1+len(name)+len(data))
	return appendCommandBody(dst, name, data)
}

// AppendCommandBody is AppendCommand without the frame's header, for the body of
// a Frame.
func AppendCommandBody(dst []byte, name string, data []byte) []byte {
	return appendCommandBody(dst, cut(name, maxName), data)
}

func appendCommandBody(dst []byte, name string, data []byte) []byte {
	dst = append(dst, byte(len(name)))
	dst = append(dst, name...)
	return append(dst, data...)
}

// ParseCommand splits the body of a command frame. data is a part of body. The
// names of the constants above cost no allocation. The error is a
// *ProtocolError.
func ParseCommand(body []byte) (name string, data []byte, err error) {
	if len(body) == 0 || body[0] == 0 {
		return "", nil, &ProtocolError{Rule: "command without a name"}
	}
	n := int(body[0])
	if len(body)-1 < n {
		return "", nil, &ProtocolError{Rule: "command that ends within its name"}
	}
	return commandName(body[1 : 1+n]), body[1+n:], nil
}

// commandName returns b as a string and makes none for a name that it knows.
func commandName(b []byte) string {
	switch string(b) {
	case CommandPing:
		return CommandPing
	case CommandPong:
		return CommandPong
	case CommandSubscribe:
		return CommandSubscribe
	case CommandCancel:
		return CommandCancel
	case CommandMessage:
		return CommandMessage
	case CommandReady:
		return CommandReady
	case CommandError:
		return CommandError
	case CommandJoin:
		return CommandJoin
	case CommandLeave:
		return CommandLeave
	case CommandHello:
		return CommandHello
	case CommandWelcome:
		return CommandWelcome
	case CommandInitiate:
		return CommandInitiate
	}
	return string(b)
}

// AppendError appends an ERROR command frame to dst (RFC 37, The NULL security
// mechanism). Of reason, 255 bytes are sent; what does not print in ASCII is
// replaced by a question mark, for it ends up in the peer's log.
func AppendError(dst []byte, reason string) []byte {
	reason = cut(reason, maxName)
	dst = AppendHeader(dst, FlagCommand, 1+len(CommandError)+1+len(reason))
	dst = appendCommandBody(dst, CommandError, nil)
	return appendReason(dst, reason)
}

func appendReason(dst []byte, reason string) []byte {
	reason = cut(reason, maxName)
	dst = append(dst, byte(len(reason)))
	for i := range len(reason) {
		c := reason[i]
		if c < ' ' || c > '~' {
			c = '?'
		}
		dst = append(dst, c)
	}
	return dst
}

// ParseError reads the data of an ERROR command. The error is a *ProtocolError.
func ParseError(data []byte) (reason string, err error) {
	if len(data) == 0 || len(data)-1 < int(data[0]) {
		return "", &ProtocolError{Rule: "ERROR command that ends within its reason"}
	}
	return string(data[1 : 1+int(data[0])]), nil
}

// cut returns the first n bytes of s, or all of it.
func cut[S ~string | ~[]byte](s S, n int) S {
	return s[:min(len(s), n)]
}
