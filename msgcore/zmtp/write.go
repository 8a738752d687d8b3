package zmtp

import (
	"errors"
	"fmt"
)

// WriteFrame writes f, into a buffer that Flush or 64 KiB of frames empty. It
// does not keep f.Body. More is ignored in a command. The frames of one message
// must come without another message's between them: several goroutines that write
// use WriteMessage.
//
// After an error of the connection nothing more can be written, since a part of a
// frame may be on its way; every later write returns the same error.
func (c *Conn) WriteFrame(f Frame) error {
	w := &c.traffic().w
	w.mu.Lock()
	defer w.mu.Unlock()
	return c.writeFrame(f)
}

// WriteMessage writes the frames of one message, at least one, and flushes.
func (c *Conn) WriteMessage(frames ...[]byte) error {
	if len(frames) == 0 {
		return errors.New("zmtp: message without a frame: give at least one, which may be empty")
	}
	w := &c.traffic().w
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, body := range frames {
		if err := c.writeFrame(Frame{More: i < len(frames)-1, Body: body}); err != nil {
			return err
		}
	}
	return c.flush()
}

// WriteCommand writes a command and flushes. A command belongs between two
// messages, not between the frames of one.
func (c *Conn) WriteCommand(name string, data []byte) error {
	w := &c.traffic().w
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := c.writeFrame(Frame{Command: true, Body: AppendCommandBody(nil, name, data)}); err != nil {
		return err
	}
	return c.flush()
}

// Flush writes what is buffered.
func (c *Conn) Flush() error {
	w := &c.traffic().w
	w.mu.Lock()
	defer w.mu.Unlock()
	return c.flush()
}

func (c *Conn) writeFrame(f Frame) error {
	if err := c.bufferFrame(f); err != nil {
		return err
	}
	t := c.traffic()
	if !f.Command {
		t.w.more = f.More
		if !f.More {
			if err := t.p.take(c); err != nil {
				return err
			}
		}
	}
	if len(t.w.buf) >= writeBuffer {
		return c.flush()
	}
	return nil
}

func (c *Conn) bufferFrame(f Frame) error {
	w := &c.traffic().w
	if w.err != nil {
		return w.err
	}
	if c.session != nil {
		buf, err := c.session.Seal(w.buf, f)
		if err != nil {
			// Its state is unknown, and a message of which one frame is missing must
			// not go out.
			w.err = err
			return err
		}
		w.buf = buf
		return nil
	}
	switch {
	case c.version.Major >= 3:
		w.buf = AppendHeader(w.buf, f.flags(), len(f.Body))
	case f.Command:
		return fmt.Errorf("zmtp: a command for a peer of ZMTP %v: %w", c.version, errors.ErrUnsupported)
	case c.version == version10:
		w.buf = AppendHeader1(w.buf, f.More, len(f.Body))
	default:
		w.buf = AppendHeader(w.buf, f.flags(), len(f.Body))
	}
	if len(f.Body) < writeBuffer/2 {
		w.buf = append(w.buf, f.Body...)
		return nil
	}
	// A large body is not worth a copy.
	if err := c.flush(); err != nil {
		return err
	}
	_, err := c.rw.Write(f.Body)
	w.err = err
	return err
}

func (c *Conn) flush() error {
	w := &c.traffic().w
	if w.err != nil || len(w.buf) == 0 {
		return w.err
	}
	_, w.err = c.rw.Write(w.buf)
	w.buf = w.buf[:0]
	if cap(w.buf) > 4*writeBuffer {
		w.buf = nil // one large sealed frame does not stay for ever
	}
	return w.err
}
