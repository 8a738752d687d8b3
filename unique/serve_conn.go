package unique

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A localConn is the connection of a peer. Whatever is written to it is queued and does
// not wait for the peer, so that what a peer says is heard although it does not read its
// output. Answers of the goroutine that reads go out together, when it has nothing left
// to handle; those of others at once.
type localConn struct {
	net.Conn
	id    string
	raw   syscall.RawConn // nil: nothing can be done without waiting
	z     *zmtp.Conn      // once hands are shaken
	timed bool            // the handshake has a deadline
	ttl   time.Duration   // the peer wants to be given up if it is silent for so long; 0: it does not

	mu       sync.Mutex    // guards what follows
	out      []byte        // to be sent
	handling bool          // the goroutine that reads will send it
	pushed   int           // bytes that push is about to send before; not 0 while it runs
	spare    []byte        // a buffer for out
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
	if c.raw == nil {
		return nil, errors.ErrUnsupported
	}
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
	c.awaitRoom()
	if c.ttl > 0 {
		if err := c.SetReadDeadline(time.Now().Add(c.ttl)); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(b)
	if err != nil && c.ttl > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		if n = c.readNow(b); n > 0 { // we did not run ourselves
			err = nil
		}
	}
	c.mu.Lock()
	c.handling = true
	c.mu.Unlock()
	return n, err
}

// readMessage reads the frames of the next message. A PING, which zmtp has answered, may
// say how long the peer's silence means that it lives.
func (c *localConn) readMessage(limit int64) (frames [][]byte, err error) {
	for size := int64(0); ; {
		f, err := c.z.ReadAny()
		switch {
		case err != nil:
			return nil, err
		case f.Command:
			c.heed(f.Body)
			continue
		}
		const each = 32 // so that endless empty frames are bounded, too
		if size += int64(len(f.Body)) + each; size > limit {
			return nil, fmt.Errorf("unique: a message of %d bytes and more: %w of %d", size, zmtp.ErrTooBig, limit)
		}
		if frames = append(frames, f.Body); !f.More {
			return frames, nil
		}
	}
}

func (c *localConn) heed(command []byte) {
	name, data, err := zmtp.ParseCommand(command)
	if err != nil || name != zmtp.CommandPing {
		return
	}
	if ttl, _, err := zmtp.ParsePing(data); err == nil && ttl > 0 {
		c.ttl = ttl
	}
}
