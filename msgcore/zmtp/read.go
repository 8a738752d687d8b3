package zmtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// frameCost is what MaxMessage counts for a frame beside its body, so that endless
// empty frames are no way around it.
const frameCost = 32

// ReadFrame reads the next frame of a message. Commands are not returned: a PING
// is answered, an ERROR is a *RejectedError, others are skipped. The frame's Body
// is the caller's own.
//
// At the end of the stream the error is io.EOF between frames and
// io.ErrUnexpectedEOF within one. After an error that a deadline of the connection
// caused, reading goes on where it was; any other is final and returned again.
func (c *Conn) ReadFrame() (Frame, error) {
	for {
		f, err := c.ReadAny()
		if err != nil || !f.Command {
			return f, err
		}
	}
}

// ReadAny is ReadFrame that returns commands as well, PING (answered already) and
// all others but ERROR.
func (c *Conn) ReadAny() (Frame, error) {
	r := &c.traffic().r
	if r.err != nil {
		return Frame{}, r.err
	}
	f, err := c.readAny()
	if err != nil && !isTimeout(err) {
		r.err = err
	}
	return f, err
}

// ReadMessage reads a whole message, its frames from the first to the last. It is
// as ReadFrame otherwise: what it had read of a message when a deadline ended it
// is returned with the rest by the next ReadMessage, and by nothing else.
func (c *Conn) ReadMessage() ([][]byte, error) {
	r := &c.traffic().r
	for {
		f, err := c.ReadFrame()
		if err != nil {
			if err == io.EOF && len(r.message) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		r.cost += int64(len(f.Body)) + frameCost
		if c.total > 0 && r.cost > c.total {
			r.err = fmt.Errorf("zmtp: message of %d frames and more, %d bytes: %w of %d", len(r.message)+1, r.cost, ErrTooBig, c.total)
			return nil, r.err
		}
		r.message = append(r.message, f.Body)
		if !f.More {
			m := r.message
			r.message, r.cost = nil, 0
			return m, nil
		}
	}
}

func (c *Conn) readAny() (Frame, error) {
	flags, body, err := c.readWire()
	if err != nil {
		return Frame{}, err
	}
	f := Frame{More: flags&FlagMore != 0, Command: flags&FlagCommand != 0, Body: body}
	if c.session != nil {
		// Nothing outside of the session is believed, not even a command.
		if f, err = c.session.Open(body); err != nil {
			return Frame{}, err
		}
	}
	if f.Command {
		if c.version.Major < 3 {
			return Frame{}, errOldCommand
		}
		err = c.obey(f.Body)
	}
	return f, err
}

var errOldCommand = &ProtocolError{Rule: "command frame: there are none before ZMTP 3.0"}

// obey does what a command asks of every ZMTP peer.
func (c *Conn) obey(body []byte) error {
	name, data, err := ParseCommand(body)
	if err != nil {
		return err
	}
	switch name {
	case CommandPing:
		_, context, err := ParsePing(data)
		if err != nil {
			return err
		}
		c.traffic().p.answer(c, context)
	case CommandError:
		// It comes late, because NULL sends READY before it has the peer's.
		reason, err := ParseError(data)
		if err != nil {
			return err
		}
		return &RejectedError{Reason: reason}
	}
	return nil
}

// readWire reads one frame as it is on the wire.
func (c *Conn) readWire() (flags byte, body []byte, err error) {
	r := &c.traffic().r
	if r.br == nil {
		var in io.Reader = c.rw
		if len(c.ahead) > 0 {
			in = &aheadReader{c.Leftover(), in}
		}
		if c.version == version10 {
			in = NewReader1(in)
		}
		r.in, r.br = in, bufio.NewReaderSize(in, firstBuffer)
	}
	if !r.inBody {
		r.grow()
		if err := c.readHeader(); err != nil {
			return 0, nil, err
		}
	}
	r.body, err = readBody(r.br, r.body, r.size)
	if err != nil {
		return 0, nil, err
	}
	body = r.body
	r.inBody, r.body = false, nil
	return r.flags, body, nil
}

// grow gives a Conn that reads more than a few frames a larger buffer.
func (r *reader) grow() {
	switch {
	case r.frames < fewFrames:
		r.frames++
	case r.in != nil && r.br.Buffered() == 0:
		r.br = bufio.NewReaderSize(r.in, readBuffer)
		r.in = nil
	}
}

// readHeader takes a header out of the buffer only when it is there as a whole.
func (c *Conn) readHeader() error {
	r := &c.traffic().r
	var n uint64
	for size, want := 0, 1; size == 0; {
		b, err := r.br.Peek(want)
		if err != nil {
			if err == io.EOF && len(b) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if r.flags, n, size, err = ParseHeader(b); err != nil {
			return err
		}
		if size > 0 {
			_, err = r.br.Discard(size)
			if err != nil {
				return err
			}
		}
		want = 2
		if b[0]&FlagLong != 0 {
			want = MaxHeader
		}
	}
	if err := c.admit(n); err != nil {
		return err
	}
	r.size = int(n)
	r.body = make([]byte, 0, min(r.size, ahead))
	r.inBody = true
	return nil
}

// admit refuses a frame by its size.
func (c *Conn) admit(n uint64) error {
	limit := int64(math.MaxInt)
	if c.limit > 0 {
		limit = min(c.limit, limit)
		if c.traffic().r.flags&FlagCommand != 0 {
			limit = max(limit, maxHandshake)
		}
	}
	if n > uint64(limit) {
		return fmt.Errorf("zmtp: frame of %d bytes: %w of %d", n, ErrTooBig, limit)
	}
	return nil
}

// readBody appends what is missing of size bytes to b, which grows as they arrive:
// a size is only a claim. On an error it returns what it has.
func readBody(r io.Reader, b []byte, size int) ([]byte, error) {
	for len(b) < size {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), min(size, max(2*cap(b), 512)))
			copy(grown, b)
			b = grown
		}
		n, err := r.Read(b[len(b):min(cap(b), size)])
		b = b[:len(b)+n]
		if err != nil && len(b) < size {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return b, err
		}
	}
	return b, nil
}

func isTimeout(err error) bool {
	if err == io.EOF {
		return false // the usual end: no need to search its type
	}
	var t interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}
