package unique

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A localConn is the connection of a peer. Whatever is written to it is queued and
// never waits for the peer, so that what a peer says is heard although it does not read
// its output. Answers of the goroutine that reads go out together, when it has nothing
// left to handle; those of others at once.
type localConn struct {
	net.Conn
	id  string
	raw syscall.RawConn // nil: nothing can be done without waiting
	z   *zmtp.Conn      // once hands are shaken

	timed bool // the handshake has a deadline

	mu       sync.Mutex    // guards what follows
	out      []byte        // not taken by the system yet
	handling bool          // the goroutine that reads will send what is queued
	pushing  bool          // push does
	err      error         // of a write
	idle     chan struct{} // closed when nothing is queued any more; nil: nobody waits
	now      writingNow
}

func newLocalConn(conn net.Conn) *localConn {
	c := &localConn{Conn: conn, handling: true}
	if sc, ok := conn.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn() // an error shows in the first read
	}
	return c
}

// SyscallConn implements syscall.Conn, which tells that writes do not wait.
func (c *localConn) SyscallConn() (syscall.RawConn, error) {
	return c.raw, nil
}

func (c *localConn) cred() transport.Cred {
	if cc, ok := c.Conn.(transport.CredConn); ok {
		if cred, err := cc.PeerCred(); err == nil {
			return cred
		}
	}
	return transport.Cred{PID: -1, UID: -1, GID: -1}
}

// shakeHands lets the peer in. One of ours has said everything up to its HELLO, or even
// its REQUEST, before the first byte is read, into room.
func (c *localConn) shakeHands(room []byte, limit int64) (err error) {
	c.z, err = zmtp.Handshake(context.Background(), c, &zmtp.Config{
		Accepting:  true,
		ReadAhead:  true,
		Begun:      room[:c.readNow(room)],
		Properties: zmtp.Properties{zmtp.SocketType: "ROUTER"},
		Check:      checkType,
		MaxBytes:   maxHello,
		MaxFrame:   limit,
		MaxMessage: limit,
	})
	if err == nil && c.timed {
		err = c.SetReadDeadline(time.Time{})
	}
	if err != nil {
		c.flush() // the reason
	}
	return err
}

const (
	// handshakeTime is how long a peer has for the handshake.
	handshakeTime = 30 * time.Second
	// maxHello is how long a handshake may be, in bytes.
	maxHello = 128 << 10
)

func checkType(peer zmtp.Properties) error {
	switch t := peer.Get(zmtp.SocketType); t {
	case "DEALER", "REQ", "ROUTER":
		return nil
	default:
		return fmt.Errorf("a ROUTER does not talk to a socket of type %q", t)
	}
}

// Read sends what is queued before it waits.
func (c *localConn) Read(b []byte) (int, error) {
	if c.z == nil && !c.timed {
		c.timed = true
		if err := c.SetReadDeadline(time.Now().Add(handshakeTime)); err != nil {
			return 0, err
		}
	}
	c.flush()
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	c.handling = true
	c.mu.Unlock()
	return n, err
}

// Write queues b.
func (c *localConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	c.out = append(c.out, b...)
	if !c.handling {
		c.pass()
	}
	return len(b), nil
}

// flush sends what is queued, and lets others send what comes.
func (c *localConn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handling = false
	c.pass()
}

// pass gives what is queued to the system, as much of it as that takes at once, and
// leaves the rest to push. Under mu.
func (c *localConn) pass() {
	if c.pushing || len(c.out) == 0 {
		return
	}
	n, err := c.writeNow()
	switch {
	case err != nil:
		c.fail(err)
	case n == len(c.out):
		c.emptied()
	default:
		c.pushing = true
		rest := c.out[n:]
		c.out = nil
		go c.push(rest)
	}
}

// push waits for the peer to take b and what is queued meanwhile.
func (c *localConn) push(b []byte) {
	for {
		_, err := c.Conn.Write(b)
		c.mu.Lock()
		switch {
		case err != nil:
			c.fail(err)
		case len(c.out) > 0:
			b, c.out = c.out, nil
			c.mu.Unlock()
			continue
		default:
			c.emptied()
		}
		c.pushing = false
		c.mu.Unlock()
		return
	}
}

// keptOut is how large the buffer of a peer may be that has nothing queued.
const keptOut = 4 << 10

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

// unsent is how much is queued beside what push has taken.
func (c *localConn) unsent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out)
}

// finish closes c when everything queued is sent, or when ctx ends.
func (c *localConn) finish(ctx context.Context) {
	c.mu.Lock()
	c.handling = false
	c.pass()
	var idle chan struct{}
	if c.pushing {
		idle = make(chan struct{})
		c.idle = idle
	}
	c.mu.Unlock()
	if idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}
	_ = c.Close() // it may have been closed meanwhile
}
