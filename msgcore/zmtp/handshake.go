package zmtp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// maxHandshake is the longest command of a handshake in bytes.
const maxHandshake = 64 << 10

// Config configures a Handshake; nil means NULL, no properties and no limits.
type Config struct {
	// Mechanism secures the connection; nil means Null.
	Mechanism Mechanism
	// Accepting says that the peer has dialed. NULL, which has no roles, then
	// judges the peer before it is told READY: one that is refused has not sent
	// messages in the belief that it was admitted. Both sides must not set it.
	Accepting bool
	// MinVersion is the oldest version that the peer may speak; zero means 3.0, and
	// so does any older one with a Mechanism other than Null, with Authorize, or
	// with a Socket-Type that older versions do not know: they have no security.
	// To tell which version the peer speaks without confusing it takes a round trip
	// more than greeting it with ZMTP 3 at once.
	//
	// A peer of ZMTP 2.0 or 1.0 has no properties but Socket-Type and Identity, and
	// one of 1.0 that tells no version not even Socket-Type. It hears no ERROR.
	MinVersion Version
	// Early are messages to send at once, each as its frames, for a side that knows
	// its peer: one of ZMTP 3 and NULL, as this side is. With them READY does not wait
	// for the peer's greeting either, which saves two round trips. Only one side may
	// have some: Handshake returns when they are written, and where the connection has
	// no buffer that is when the peer reads them. It is an error with
	// another Mechanism, with Accepting, Authorize or an older MinVersion: the
	// messages go to a peer that nobody has judged.
	Early [][][]byte
	// ReadAhead lets Handshake read at once what has come, which saves system calls:
	// up to 512 bytes, of which those behind the peer's last command are for Conn to
	// read, or for whoever calls Leftover.
	ReadAhead bool
	// Begun is what was read of the peer before Handshake, which goes on behind it;
	// a part of it may be left over, as with ReadAhead. If it has the peer's whole
	// greeting, this side's own, for which the peer does not wait then, goes out
	// together with the next command. Handshake does not keep it.
	Begun []byte
	// Greeted, if not nil, is told which version is spoken, before Check.
	Greeted func(Version)
	// Properties are sent to the peer: less than 64 KiB, with names of letters,
	// digits and -_.+ . A peer expects Socket-Type.
	Properties Properties
	// Authorize admits a peer, and returns properties to add to the peer's, such
	// as User-Id; nil admits everybody, but nobody to a server of PLAIN. The reason
	// that a refused peer is told is "400", so that no secret leaves with an error's
	// text; a *RejectedError chooses another one, as RFC 27 has "500" for a failure.
	// With "300", a temporary refusal, nothing is sent and the connection just ends,
	// as libzmq does: a peer that is told a reason does not try again.
	Authorize func(context.Context, *AuthRequest) (Properties, error)
	// Check decides about the peer's properties, which include those of Authorize,
	// before the peer's READY is accepted; nil accepts all. A refused peer is told
	// the error's text, cut to 255 bytes, or the reason of a *RejectedError within;
	// with "300" it hears nothing, as above, so that it tries again.
	Check func(peer Properties) error
	// MaxBytes bounds what the peer may send in its handshake, in bytes; 0 and less
	// mean no limit but that of 64 KiB for each command.
	MaxBytes int64
	// MaxFrame refuses frames with a body over so many bytes before anything is
	// allocated; 0 means no limit. Commands may have 64 KiB in any case. A
	// mechanism that seals frames adds its own bytes to them.
	MaxFrame int64
	// MaxMessage refuses, in ReadMessage, messages over so many bytes, each frame
	// counted as its body and 32 bytes more; 0 means no limit.
	MaxMessage int64
}

// Handshake exchanges greetings over rw and runs the mechanism, to the point
// where both sides may send messages. It reads no byte beyond the peer's last
// command, unless Config.ReadAhead lets it.
//
// When ctx ends, so does Handshake, if rw has a SetDeadline method, as every
// net.Conn does; the deadline is cleared before Handshake returns. Otherwise only
// closing rw interrupts it. ctx counts for the handshake alone, not for the Conn.
//
// The error is a *ProtocolError if the peer does not keep to the protocol, a
// *RejectedError if it refuses us, the error of Authorize or Check if we refuse
// it, or else wraps that of rw or ctx. After an error rw is of no more use; closing
// it is the caller's.
func Handshake(ctx context.Context, rw io.ReadWriter, cfg *Config) (*Conn, error) {
	h := &handshaker{rw: rw}
	if cfg != nil {
		h.cfg = *cfg
		h.there = cfg.Begun
	}
	if h.cfg.Mechanism == nil {
		h.cfg.Mechanism = Null()
	}
	if n, ok := h.cfg.Mechanism.(null); ok {
		n.waits = h.cfg.Accepting
		h.cfg.Mechanism = n
	}
	h.name = h.cfg.Mechanism.Name()
	if len(h.cfg.Early) > 0 {
		if err := h.mayBeEarly(); err != nil {
			return nil, err
		}
	}
	if h.name == "" || len(h.name) > mechanismSize || strings.Contains(h.name, "\x00") {
		return nil, fmt.Errorf("zmtp: mechanism name %q: 1 to %d bytes are allowed", h.name, mechanismSize)
	}
	if err := h.cfg.Properties.Validate(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, gaveUp(ctx, "before it began")
	}
	h.interruption.begin(ctx, rw)
	conn, err := h.run(ctx)
	if err != nil {
		h.cutOff()
	}
	h.interruption.release()
	if err != nil {
		return nil, h.explain(ctx, err)
	}
	return conn, nil
}

// A handshaker is one handshake under way. It implements HandshakeConn.
type handshaker struct {
	rw   io.ReadWriter
	cfg  Config
	name string // of the mechanism

	interruption interruption

	there []byte // read and not used, of Config.Begun or buf
	buf   []byte // for Config.ReadAhead; nil until it is needed
	held  []byte // to be written with what comes next

	read    int64      // bytes of the peer's, or that it has announced
	writing chan error // the result of the write under way; nil if there is none
	wrote   error      // that of the last one
	stage   string     // what is waited for, for error texts
	auth    Properties // what Config.Authorize said
	checked bool       // Config.Check was asked
	old     bool       // the peer speaks ZMTP 2.0 or 1.0
}

func (h *handshaker) run(ctx context.Context) (*Conn, error) {
	mech := h.cfg.Mechanism
	h.stage = "greeting"
	ours := AppendGreeting(nil, Greeting{Version: version31, Mechanism: h.name, Server: mech.Server()})
	var greeting Greeting
	var old *Conn
	var err error
	ours = h.appendEarly(ours)
	switch understood, careful := h.understands(), h.speaksOld(); {
	case understood:
		h.held = ours
		greeting, err = h.readGreeting()
	case careful:
		greeting, old, err = h.greetAny(ours)
	default:
		h.write(ours)
		greeting, err = h.readGreeting()
	}
	if err != nil || old != nil {
		return old, err
	}
	if h.cfg.Greeted != nil {
		h.cfg.Greeted(greeting.Version)
	}
	if greeting.Mechanism != h.name {
		return nil, &ProtocolError{Rule: fmt.Sprintf("the peer's mechanism is %q and this side's %q: configure both alike", greeting.Mechanism, h.name)}
	}
	h.stage = h.name + " handshake"
	session, err := mech.Handshake(ctx, h, h.cfg.Properties)
	if err != nil {
		return nil, err
	}
	if session == nil {
		return nil, fmt.Errorf("zmtp: mechanism %s ended its handshake without a session", h.name)
	}
	if !h.checked {
		if err := h.Check(session.Peer()); err != nil {
			return nil, err
		}
	}
	return h.finish(greeting.Version, session, session.Peer().admitted(h.auth))
}

// finish sees to it that all is written.
func (h *handshaker) finish(v Version, s Session, peer Properties) (*Conn, error) {
	h.release()
	if err := h.written(); err != nil {
		return nil, err
	}
	c := newConn(h.rw, v, s, peer, h.cfg)
	if len(h.there) > 0 {
		c.ahead = bytes.Clone(h.there)
	}
	return c, nil
}

// speaksOld reports whether the peer may speak ZMTP 2.0 or 1.0.
func (h *handshaker) speaksOld() bool {
	if _, ok := h.cfg.Mechanism.(null); !ok || h.cfg.Authorize != nil {
		return false
	}
	_, known := oldNumber(h.cfg.Properties[SocketType])
	return known && h.cfg.MinVersion != Version{} && h.cfg.MinVersion.Less(version30)
}

// readGreeting looks at each piece as it comes, for an older peer sends less than
// a whole greeting and waits.
func (h *handshaker) readGreeting() (Greeting, error) {
	var b [GreetingSize]byte
	for n := 0; ; {
		m, err := h.Read(b[n:])
		n += m
		g, size, perr := ParseGreeting(b[:n])
		switch {
		case perr != nil:
			return g, perr
		case size > 0:
			h.read = int64(size)
			return g, nil
		case err != nil:
			return g, err
		}
	}
}

// ReadCommand implements HandshakeConn.
func (h *handshaker) ReadCommand() (Command, error) {
	var hdr [MaxHeader]byte
	if _, err := io.ReadFull(h, hdr[:2]); err != nil {
		return Command{}, err
	}
	flags, n, size, err := ParseHeader(hdr[:2])
	if err == nil && size == 0 {
		if _, err := io.ReadFull(h, hdr[2:]); err != nil {
			return Command{}, err
		}
		flags, n, _, err = ParseHeader(hdr[:])
	}
	switch {
	case err != nil:
		return Command{}, err
	case flags&FlagCommand == 0:
		return Command{}, &ProtocolError{Rule: "message in the handshake, which has commands only"}
	case n > maxHandshake:
		return Command{}, &ProtocolError{Rule: fmt.Sprintf("command of %d bytes in the handshake: the limit is %d", n, maxHandshake)}
	}
	if h.read += 2 + int64(n); h.cfg.MaxBytes > 0 && h.read > h.cfg.MaxBytes {
		return Command{}, fmt.Errorf("zmtp: handshake of %d bytes and more: %w of %d", h.read, ErrTooBig, h.cfg.MaxBytes)
	}
	body, err := readBody(h, make([]byte, 0, min(n, 512)), int(n))
	if err != nil {
		return Command{}, err
	}
	name, data, err := h.parseCommand(body)
	if err != nil {
		return Command{}, err
	}
	if name == CommandError {
		reason, err := ParseError(data)
		if err != nil {
			return Command{}, err
		}
		return Command{}, &RejectedError{Reason: reason}
	}
	return Command{Name: name, Data: data}, nil
}

// WriteCommand implements HandshakeConn.
func (h *handshaker) WriteCommand(c Command) error {
	return h.send(AppendCommand(nil, c.Name, c.Data))
}

// Authorize implements HandshakeConn.
func (h *handshaker) Authorize(ctx context.Context, credentials ...[]byte) error {
	if h.cfg.Authorize == nil {
		if _, ok := h.cfg.Mechanism.(interface{ needsAuthorize() }); ok {
			h.refuse("400")
			return fmt.Errorf("zmtp: peer not admitted: %s has nobody to judge credentials: set Config.Authorize", h.name)
		}
		return nil
	}
	h.release() // it may take its time
	req := &AuthRequest{Mechanism: h.name, Credentials: credentials}
	if c, ok := h.rw.(interface{ RemoteAddr() net.Addr }); ok {
		if addr := c.RemoteAddr(); addr != nil {
			req.Address = addr.String()
		}
	}
	auth, err := h.cfg.Authorize(ctx, req)
	if err != nil {
		h.refuseFor(err, "400")
		return fmt.Errorf("zmtp: peer not admitted: %w", err)
	}
	h.auth = auth
	return nil
}

// Check implements HandshakeConn.
func (h *handshaker) Check(peer Properties) error {
	h.checked = true
	if h.cfg.Check == nil {
		return nil
	}
	if err := h.cfg.Check(peer.admitted(h.auth)); err != nil {
		h.refuseFor(err, err.Error())
		return fmt.Errorf("zmtp: peer refused: %w", err)
	}
	return nil
}

// refuseFor refuses the peer because of err, with the reason that it names, if it
// does.
func (h *handshaker) refuseFor(err error, reason string) {
	var rejected *RejectedError
	if errors.As(err, &rejected) {
		reason = rejected.Reason
	}
	if reason != "300" { // for now only, which no ERROR can say
		h.refuse(reason)
	}
}

// refuse sends an ERROR. That it could not be sent changes nothing: the handshake
// has failed already.
func (h *handshaker) refuse(reason string) {
	if !h.old {
		_ = h.send(AppendError(nil, reason))
	}
}

// explain makes an error of h.run readable.
func (h *handshaker) explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil && isTimeout(err):
		return gaveUp(ctx, "waiting for the peer's "+h.stage)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		hint := ""
		if h.stage != "greeting" {
			hint = ", as one does that has no place for this side now"
		}
		return fmt.Errorf("zmtp: the peer closed the connection during the %s%s: %w", h.stage, hint, io.ErrUnexpectedEOF)
	case strings.HasPrefix(err.Error(), "zmtp: "):
		return err
	}
	return fmt.Errorf("zmtp: %s: %w", h.stage, err)
}

func gaveUp(ctx context.Context, when string) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); cause != err {
		return fmt.Errorf("zmtp: handshake given up %s: %w: %w", when, err, cause)
	}
	return fmt.Errorf("zmtp: handshake given up %s: %w", when, err)
}
