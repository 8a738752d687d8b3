package zmtp

import (
	"encoding/binary"
	"fmt"
	"io"
)

// oldTypes are the socket types that ZMTP 2.0 (RFC 15) has numbers for.
var oldTypes = [...]string{"PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"}

func oldNumber(socketType string) (byte, bool) {
	for i, name := range oldTypes {
		if name == socketType {
			return byte(i), true
		}
	}
	return 0, false
}

// Revisions that stand where ZMTP 3 has its major version.
const (
	revision1 = 0 // the framing of ZMTP 1.0 behind a greeting of 2.0
	revision2 = 1 // ZMTP 2.0
)

// greetAny greets a peer of any version: the signature first, which one of ZMTP
// 1.0 takes for the head of a frame, and each further part of the greeting when
// the peer's own tells that it will be understood, as libzmq does. For a peer of
// ZMTP 3 it returns a greeting; one that is older has shaken hands then, and old is
// its connection.
func (h *handshaker) greetAny(ours []byte) (g Greeting, old *Conn, err error) {
	id := h.cfg.Properties[Identity]
	binary.BigEndian.PutUint64(ours[1:signatureSize-1], uint64(len(id))+1)
	h.write(ours[:signatureSize])
	var b [GreetingSize]byte
	read := func(from, to int) error {
		_, err := io.ReadFull(h, b[from:to])
		return err
	}
	if err := read(0, 1); err != nil {
		return g, nil, err
	}
	if b[0] != 0xff { // the length of a short frame
		if err := read(1, 2); err != nil {
			return g, nil, err
		}
		old, err = h.unversioned(b[:2])
		return g, old, err
	}
	if err := read(1, signatureSize); err != nil {
		return g, nil, err
	}
	if b[signatureSize-1]&1 == 0 { // the flags of a long frame
		old, err = h.unversioned(b[:signatureSize])
		return g, old, err
	}
	if _, _, err := ParseGreeting(b[:signatureSize]); err != nil {
		return g, nil, err
	}
	if err := h.send(ours[majorAt : majorAt+1]); err != nil {
		return g, nil, err
	}
	if err := read(majorAt, majorAt+1); err != nil {
		return g, nil, err
	}
	if r := b[majorAt]; r == revision1 || r == revision2 {
		old, err = h.versioned(r)
		return g, old, err
	}
	if err := h.send(ours[minorAt:]); err != nil {
		return g, nil, err
	}
	if err := read(minorAt, GreetingSize); err != nil {
		return g, nil, err
	}
	h.read = GreetingSize
	g, _, err = ParseGreeting(b[:])
	return g, nil, err
}

// versioned goes on with a peer that has sent revision r: both tell their socket
// type and their routing id.
func (h *handshaker) versioned(r byte) (*Conn, error) {
	v := version20
	if r == revision1 {
		v = version10
	}
	if err := h.allow(v); err != nil {
		return nil, err
	}
	number, _ := oldNumber(h.cfg.Properties[SocketType])
	id := h.cfg.Properties[Identity]
	out := []byte{number}
	if v == version10 {
		out = AppendHeader1(out, false, len(id))
	} else {
		out = AppendHeader(out, 0, len(id))
	}
	if err := h.send(append(out, id...)); err != nil {
		return nil, err
	}
	var t [1]byte
	if _, err := io.ReadFull(h, t[:]); err != nil {
		return nil, err
	}
	peer := Properties{}
	if int(t[0]) >= len(oldTypes) {
		return nil, &ProtocolError{Rule: fmt.Sprintf("socket type %d: ZMTP 2.0 has 0 to %d", t[0], len(oldTypes)-1)}
	}
	peer[SocketType] = oldTypes[t[0]]
	return h.finishOld(v, peer, nil)
}

// unversioned goes on with a peer whose first frame begins with start: it speaks
// ZMTP 1.0, to which our signature was the head of a frame with our routing id. It
// does not tell its socket type.
func (h *handshaker) unversioned(start []byte) (*Conn, error) {
	if flags := start[len(start)-1]; flags != 0 || start[0] == 0 { // strangers do not often begin so
		return nil, &ProtocolError{Rule: fmt.Sprintf("greeting starts with %#02x and not 0xff, and is no ZMTP 1.0 either: the peer speaks no ZMTP", start[0])}
	}
	if err := h.allow(version10); err != nil {
		return nil, err
	}
	if err := h.send([]byte(h.cfg.Properties[Identity])); err != nil {
		return nil, err
	}
	return h.finishOld(version10, Properties{}, start)
}

// allow refuses a version before MinVersion.
func (h *handshaker) allow(v Version) error {
	if v.Less(h.cfg.MinVersion) {
		return &ProtocolError{Rule: fmt.Sprintf("the peer speaks ZMTP %v, which is not spoken here: MinVersion is %v", v, h.cfg.MinVersion)}
	}
	return nil
}

// finishOld reads the frame with the peer's routing id, of which start is there,
// and decides about the peer.
func (h *handshaker) finishOld(v Version, peer Properties, start []byte) (*Conn, error) {
	h.old = true
	id, err := h.readID(v, start)
	if err != nil {
		return nil, err
	}
	if len(id) > 0 {
		peer[Identity] = string(id)
	}
	if h.cfg.Greeted != nil {
		h.cfg.Greeted(v)
	}
	if err := h.Check(peer); err != nil {
		return nil, err
	}
	return h.finish(v, nil, peer)
}

// readID reads a frame and not a byte beyond.
func (h *handshaker) readID(v Version, start []byte) ([]byte, error) {
	b := append(make([]byte, 0, MaxHeader1), start...)
	for {
		var n uint64
		var size int
		var err error
		if v == version10 {
			_, n, size, err = ParseHeader1(b)
		} else {
			var flags byte
			if flags, n, size, err = ParseHeader(b); err == nil && flags&^FlagLong != 0 {
				err = &ProtocolError{Rule: "the peer's first frame, its routing id, is not a message of one frame"}
			}
		}
		switch {
		case err != nil:
			return nil, err
		case n > maxID:
			return nil, &ProtocolError{Rule: fmt.Sprintf("routing id of %d bytes: the limit is %d", n, maxID)}
		case size > 0:
			id := make([]byte, n)
			_, err := io.ReadFull(h, id)
			return id, err
		}
		b = b[:len(b)+1]
		if _, err := io.ReadFull(h, b[len(b)-1:]); err != nil {
			return nil, err
		}
	}
}

const maxID = 255
