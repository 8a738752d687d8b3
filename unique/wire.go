package unique

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The envelope of PROTOCOL.md. The first frame of a message is its head: two
// bytes of magic, the version of the protocol, the kind, and then fields, each
// a tag, a length and that many bytes. Frames after the head are payload.
const (
	wireMagic   = "UQ"
	wireVersion = 1 // the only one so far
	headLen     = 4
	fieldLen    = 5 // tag and length
)

// A kind is what a message says.
type kind uint8

const (
	kindHello kind = iota + 1
	kindWelcome
	kindRequest
	kindOffer
	kindLeaving
	kindRefused
	kindGo
	kindExit
	kindNotHandled
	kindExpired
	kindStdin // the kinds of the streams follow one another in the order of stream
	kindStdout
	kindStderr
	kindCredit
	kindSignal
	kindCancel
	kindProgress
	kindTakeover
)

var kindNames = [...]string{
	kindHello: "HELLO", kindWelcome: "WELCOME", kindRequest: "REQUEST", kindOffer: "OFFER",
	kindLeaving: "LEAVING", kindRefused: "REFUSED", kindGo: "GO", kindExit: "EXIT",
	kindNotHandled: "NOT_HANDLED", kindExpired: "EXPIRED", kindStdin: "STDIN", kindStdout: "STDOUT",
	kindStderr: "STDERR", kindCredit: "CREDIT", kindSignal: "SIGNAL", kindCancel: "CANCEL", kindProgress: "PROGRESS",
	kindTakeover: "TAKEOVER",
}

func (k kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// The tags of fields. A value is bytes, or a number of eight bytes, most
// significant first.
const (
	tagVersions   = 1  // two bytes: the lowest and the highest version spoken
	tagPID        = 2  // number
	tagGeneration = 3  // 16 bytes
	tagState      = 4  // number, a State
	tagStarted    = 5  // number, nanoseconds since 1970
	tagAppVersion = 6  // bytes
	tagLimit      = 7  // number of bytes
	tagSuccessor  = 8  // number, a process id
	tagTicket     = 9  // 16 bytes
	tagArg        = 16 // bytes, once for each argument
	tagEnv        = 17 // bytes, once for each variable
	tagDir        = 18 // bytes
	tagDirError   = 19 // bytes
	tagDirCode    = 20 // number
	tagToken      = 21 // bytes
	tagStartupID  = 22 // bytes
	tagStreams    = 23 // number, a set of want bits
	tagWindow     = 24 // number of bytes
	tagCommand    = 25 // bytes
	tagTarget     = 26 // bytes, once for each
	tagTerminal   = 27 // number, a set of the bits of streams
	tagRows       = 28 // number
	tagColumns    = 29 // number
	tagCode       = 32 // number, two's complement
	tagReason     = 33 // bytes
	tagFault      = 34 // number
	tagSize       = 35 // number of bytes
	tagAnswer     = 36 // number, an Answer
	tagStream     = 40 // number
	tagCredit     = 41 // number of bytes
	tagEnd        = 42 // number
	tagSignal     = 43 // bytes
	tagDone       = 44 // number, two's complement
	tagTotal      = 45 // number, two's complement
	tagText       = 46 // bytes
)

// What a REQUEST may ask for beside EXIT (tagStreams).
const (
	wantStdin = 1 << iota
	wantStdout
	wantStderr
	wantProgress
)

// How a stream ended (tagEnd).
const (
	endNone   = iota
	endNormal // end of file; for a CREDIT, nobody reads any more
	endError  // reading or writing failed; tagReason says how
)

// What went wrong beside the exit code (tagFault).
const (
	faultNone  = iota
	faultPanic // the handler panicked; tagReason says with what
	faultReply // the handler's reply was over the limit; tagSize says how large
	faultEnded // the primary stopped serving before a deferred invocation was completed
)

// Why a request is refused (tagCode of REFUSED).
const (
	refusedQueue    = 1 // the queue is full: try again later
	refusedSize     = 2 // over the limit that WELCOME told
	refusedVersion  = 3 // no version in common
	refusedProtocol = 4 // the peer broke the protocol
	refusedTakeover = 5 // the primary does not let itself be replaced
)

// Why there is no working directory (tagDirCode).
const (
	dirOther      = 0
	dirNotExist   = 1
	dirPermission = 2
)

const (
	maxReasonLen = 1 << 10
	maxTextLen   = 64 << 10
	maxSignalLen = 32
	maxNameLen   = 255 // of a command
	// headSlack is what a head may have beyond the size of its request.
	headSlack = 64 << 10
)

// A message is one decoded head, flat: each kind uses a few of the fields, and
// what is zero is not sent. Payload is what follows the head.
type message struct {
	Kind kind

	MinVersion, MaxVersion uint8
	PID                    uint64
	Generation             [16]byte
	State                  State
	Started                int64
	AppVersion             string
	Limit                  uint64
	Successor              uint64
	Ticket                 [16]byte

	Args, Env []string
	Dir       string
	DirError  string
	DirCode   uint64
	Token     string
	StartupID string
	Streams   uint64
	Window    uint64
	Command   string
	Targets   []string
	Terminal  uint64
	Rows      uint64
	Columns   uint64

	Code   int64
	Reason string
	Fault  uint64
	Size   uint64
	Answer Answer

	Stream      uint64
	Credit      uint64
	End         uint64
	Signal      string
	Done, Total int64
	Text        string

	Payload [][]byte
}

// A wireError tells which rule of the envelope a peer broke.
type wireError struct{ rule string }

func (e *wireError) Error() string { return "unique: malformed message: " + e.rule }

var (
	errMagic   = &wireError{"it does not start with the magic bytes \"UQ\""}
	errVersion = errors.New("unique: the message is of a version of the protocol that is not spoken here")
	errField   = &wireError{"a field goes beyond the end of the head"}
	errNumber  = &wireError{"a number does not have eight bytes"}
)

// appendHead appends the head of m to b. Fields come in the order of their
// tags, so that equal messages have equal bytes.
func (m *message) appendHead(b []byte) []byte {
	b = append(b, wireMagic...)
	b = append(b, wireVersion, byte(m.Kind))
	if m.MinVersion|m.MaxVersion != 0 {
		b = appendField(b, tagVersions, string([]byte{m.MinVersion, m.MaxVersion}))
	}
	b = appendNumber(b, tagPID, m.PID)
	if m.Generation != [16]byte{} {
		b = appendField(b, tagGeneration, string(m.Generation[:]))
	}
	b = appendNumber(b, tagState, uint64(m.State))
	b = appendNumber(b, tagStarted, uint64(m.Started))
	b = appendText(b, tagAppVersion, m.AppVersion, maxVersionLen)
	b = appendNumber(b, tagLimit, m.Limit)
	b = appendNumber(b, tagSuccessor, m.Successor)
	if m.Ticket != [16]byte{} {
		b = appendField(b, tagTicket, string(m.Ticket[:]))
	}
	for _, s := range m.Args {
		b = appendField(b, tagArg, s)
	}
	for _, s := range m.Env {
		b = appendField(b, tagEnv, s)
	}
	if m.Dir != "" {
		b = appendField(b, tagDir, m.Dir)
	}
	b = appendText(b, tagDirError, m.DirError, maxReasonLen)
	b = appendNumber(b, tagDirCode, m.DirCode)
	b = appendText(b, tagToken, m.Token, maxTextLen)
	b = appendText(b, tagStartupID, m.StartupID, maxTextLen)
	b = appendNumber(b, tagStreams, m.Streams)
	b = appendNumber(b, tagWindow, m.Window)
	b = appendText(b, tagCommand, m.Command, maxNameLen)
	for _, s := range m.Targets {
		b = appendField(b, tagTarget, s)
	}
	b = appendNumber(b, tagTerminal, m.Terminal)
	b = appendNumber(b, tagRows, m.Rows)
	b = appendNumber(b, tagColumns, m.Columns)
	if m.Kind == kindExit || m.Code != 0 {
		b = appendField(b, tagCode, string(binary.BigEndian.AppendUint64(nil, uint64(m.Code))))
	}
	b = appendText(b, tagReason, m.Reason, maxReasonLen)
	b = appendNumber(b, tagFault, m.Fault)
	b = appendNumber(b, tagSize, m.Size)
	b = appendNumber(b, tagAnswer, uint64(m.Answer))
	b = appendNumber(b, tagStream, m.Stream)
	b = appendNumber(b, tagCredit, m.Credit)
	b = appendNumber(b, tagEnd, m.End)
	b = appendText(b, tagSignal, m.Signal, maxSignalLen)
	b = appendNumber(b, tagDone, uint64(m.Done))
	b = appendNumber(b, tagTotal, uint64(m.Total))
	return appendText(b, tagText, m.Text, maxTextLen)
}

// appendNumber appends a number unless it is zero, which is the default.
func appendNumber(b []byte, tag byte, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = append(b, tag, 0, 0, 0, 8)
	return binary.BigEndian.AppendUint64(b, v)
}

// appendText appends at most limit bytes of s unless it is empty.
func appendText(b []byte, tag byte, s string, limit int) []byte {
	if s == "" {
		return b
	}
	return appendField(b, tag, s[:min(len(s), limit)])
}

func appendField(b []byte, tag byte, v string) []byte {
	b = append(b, tag)
	b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
	return append(b, v...)
}

// decode reads a message from frames: its head and its payload. It copies what
// it takes from the head; the payload it refers to.
func (m *message) decode(frames [][]byte) error {
	*m = message{}
	if len(frames) == 0 || len(frames[0]) < headLen || string(frames[0][:2]) != wireMagic {
		return errMagic
	}
	head := frames[0]
	if head[2] != wireVersion {
		return errVersion
	}
	m.Kind = kind(head[3])
	var seen [4]uint64 // tags that were met, to refuse second ones
	for b := head[headLen:]; len(b) > 0; {
		if len(b) < fieldLen {
			return errField
		}
		tag, size := b[0], binary.BigEndian.Uint32(b[1:])
		b = b[fieldLen:]
		if uint64(size) > uint64(len(b)) {
			return errField
		}
		if tag != tagArg && tag != tagEnv && tag != tagTarget {
			if seen[tag>>6]&(1<<(tag&63)) != 0 {
				return &wireError{fmt.Sprintf("field %d stands twice", tag)}
			}
			seen[tag>>6] |= 1 << (tag & 63)
		}
		if err := m.field(tag, b[:size]); err != nil {
			return err
		}
		b = b[size:]
	}
	m.Payload = frames[1:]
	return nil
}

// field takes one field. Unknown ones are skipped: later versions add some.
func (m *message) field(tag byte, v []byte) (err error) {
	number := func(to *uint64) {
		if len(v) != 8 {
			err = errNumber
			return
		}
		*to = binary.BigEndian.Uint64(v)
	}
	signed := func(to *int64) {
		var u uint64
		number(&u)
		*to = int64(u)
	}
	text := func(to *string, limit int) {
		if len(v) > limit {
			err = &wireError{fmt.Sprintf("field %d has %d bytes, the limit is %d", tag, len(v), limit)}
			return
		}
		*to = string(v)
	}
	switch tag {
	case tagVersions:
		if len(v) != 2 {
			return &wireError{"the versions are not two bytes"}
		}
		m.MinVersion, m.MaxVersion = v[0], v[1]
	case tagPID:
		number(&m.PID)
	case tagGeneration:
		if len(v) != len(m.Generation) {
			return &wireError{"the generation does not have 16 bytes"}
		}
		copy(m.Generation[:], v)
	case tagState:
		var u uint64
		number(&u)
		m.State = State(min(u, 255))
	case tagStarted:
		signed(&m.Started)
	case tagAppVersion:
		text(&m.AppVersion, maxVersionLen)
	case tagLimit:
		number(&m.Limit)
	case tagSuccessor:
		number(&m.Successor)
	case tagTicket:
		if len(v) != len(m.Ticket) {
			return &wireError{"the ticket does not have 16 bytes"}
		}
		copy(m.Ticket[:], v)
	case tagArg:
		m.Args = append(m.Args, string(v))
	case tagEnv:
		m.Env = append(m.Env, string(v))
	case tagDir:
		m.Dir = string(v)
	case tagDirError:
		text(&m.DirError, maxReasonLen)
	case tagDirCode:
		number(&m.DirCode)
	case tagToken:
		text(&m.Token, maxTextLen)
	case tagStartupID:
		text(&m.StartupID, maxTextLen)
	case tagStreams:
		number(&m.Streams)
	case tagWindow:
		number(&m.Window)
	case tagCommand:
		text(&m.Command, maxNameLen)
	case tagTarget:
		m.Targets = append(m.Targets, string(v))
	case tagTerminal:
		number(&m.Terminal)
	case tagRows:
		number(&m.Rows)
	case tagColumns:
		number(&m.Columns)
	case tagCode:
		signed(&m.Code)
	case tagReason:
		text(&m.Reason, maxReasonLen)
	case tagFault:
		number(&m.Fault)
	case tagSize:
		number(&m.Size)
	case tagAnswer:
		var u uint64
		number(&u)
		m.Answer = Answer(min(u, 255))
	case tagStream:
		number(&m.Stream)
	case tagCredit:
		number(&m.Credit)
	case tagEnd:
		number(&m.End)
	case tagSignal:
		text(&m.Signal, maxSignalLen)
	case tagDone:
		signed(&m.Done)
	case tagTotal:
		signed(&m.Total)
	case tagText:
		text(&m.Text, maxTextLen)
	}
	return err
}

// size is what a REQUEST counts against the limit that WELCOME tells, or the
// payload of an EXIT: every string and frame with 16 bytes on top, so that a
// million empty ones are not free.
func (m *message) size() int64 {
	const each = 16
	n := int64(len(m.Dir) + len(m.Token) + len(m.StartupID))
	for _, s := range m.Args {
		n += int64(len(s)) + each
	}
	for _, s := range m.Env {
		n += int64(len(s)) + each
	}
	for _, s := range m.Targets {
		n += int64(len(s)) + each
	}
	for _, f := range m.Payload {
		n += int64(len(f)) + each
	}
	return n
}

// frames returns m as frames to send.
func (m *message) frames() [][]byte {
	// The strings are most of a REQUEST; other heads are short.
	n := 64 + len(m.Reason) + len(m.Text) + len(m.AppVersion)
	if m.Kind == kindRequest {
		n += int(m.size())
	}
	head := m.appendHead(make([]byte, 0, n))
	if len(m.Payload) == 0 {
		return [][]byte{head}
	}
	return append([][]byte{head}, m.Payload...)
}
