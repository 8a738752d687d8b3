package unique

import (
	"context"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// Write queues b.
func (c *localConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	c.out = append(c.out, b...)
	c.passOn()
	return len(b), nil
}

// send queues a message, as Write would its frames.
func (c *localConn) send(frames [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	for i, f := range frames {
		flags := byte(zmtp.FlagMore)
		if i == len(frames)-1 {
			flags = 0
		}
		c.out = append(zmtp.AppendHeader(c.out, flags, len(f)), f...)
	}
	c.passOn()
	return nil
}

// flush sends what is queued, and lets others send what comes.
func (c *localConn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handling = false
	c.pass()
}

// passOn is pass, unless flush comes anyway. Under mu.
func (c *localConn) passOn() {
	if !c.handling {
		c.pass()
	}
}

// pass gives what is queued to the system, as much of it as that takes at once, and
// leaves the rest to push. Under mu.
func (c *localConn) pass() {
	if c.pushed > 0 || len(c.out) == 0 {
		return
	}
	n, err := c.writeNow()
	switch {
	case err != nil:
		c.fail(err)
	case n == len(c.out):
		c.emptied()
	default:
		b := c.takeOut()
		go c.push(b, n)
	}
}

// takeOut gives what is queued to push. Under mu.
func (c *localConn) takeOut() []byte {
	b := c.out
	c.out, c.spare = c.spare[:0], nil
	c.pushed = len(b)
	return b
}

// push waits for the peer to take b, of which the system has n bytes, and what is queued
// meanwhile.
func (c *localConn) push(b []byte, n int) {
	for {
		_, err := c.Conn.Write(b[n:])
		n = 0
		c.mu.Lock()
		c.pushed = 0
		if cap(b) <= keptOut {
			c.spare = b
		}
		if err != nil {
			c.fail(err)
		}
		if len(c.out) == 0 {
			c.emptied()
			c.mu.Unlock()
			return
		}
		b = c.takeOut()
		c.mu.Unlock()
	}
}

// keptOut is how large a buffer of a peer may be that has nothing queued.
const keptOut = 256 << 10

// emptied notes that nothing is queued any more. Under mu.
func (c *localConn) emptied() {
	c.out = c.out[:0]
	if cap(c.out) > keptOut {
		c.out = nil
	}
	if c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// fail ends writing; whoever reads finds out by itself. Under mu.
func (c *localConn) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.emptied()
}

// maxUnread is how much may wait for a peer that does not read before it loses answers,
// and before it is not heard any more.
const maxUnread = 64 << 20

// unread is how much waits for the peer. Under mu.
func (c *localConn) unread() int { return len(c.out) + c.pushed }

// isDeaf reports whether too much waits for the peer.
func (c *localConn) isDeaf() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unread() > maxUnread
}

// awaitRoom waits while far too much waits for the peer, which makes us say more and does
// not listen.
func (c *localConn) awaitRoom() {
	if c.isDeaf() {
		<-c.sent()
	}
}

// sent returns a channel that is closed when nothing waits for the peer, or never will.
func (c *localConn) sent() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	if c.unread() == 0 {
		c.emptied()
	}
	return idle
}

// finish closes c when everything queued is sent, or when ctx ends.
func (c *localConn) finish(ctx context.Context) {
	c.flush()
	select {
	case <-c.sent():
	case <-ctx.Done():
	}
	_ = c.Close() // it may have been closed meanwhile
}
