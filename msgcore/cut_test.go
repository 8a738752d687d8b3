package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/inproc"
)

func init() {
	transport.Register("testcut", &cutTransport{})
	transport.Register("testdialed", &dialedTransport{})
}

// A dialedTransport dials connections that a test has made, once each.
type dialedTransport struct {
	conns sync.Map // net.Conn by address
	n     atomic.Int64
}

// dialed returns an endpoint that is connected to c.
func dialed(t *testing.T, c net.Conn) (endpoint string) {
	tr, _ := transport.Lookup("testdialed")
	d := tr.(*dialedTransport)
	addr := fmt.Sprint(d.n.Add(1))
	d.conns.Store(addr, c)
	t.Cleanup(func() { d.conns.Delete(addr); c.Close() })
	return "testdialed://" + addr
}

func (d *dialedTransport) Dial(_ context.Context, addr string, _ *transport.Options) (transport.Conn, error) {
	if c, ok := d.conns.LoadAndDelete(addr); ok {
		return c.(net.Conn), nil
	}
	return nil, errors.New("dialed: once is all")
}

func (*dialedTransport) Listen(context.Context, string, *transport.Options) (transport.Listener, error) {
	return nil, errors.ErrUnsupported
}

// A cutTransport has byte streams within the process, of which the dialed end's
// Write takes so many bytes as its wire says and then fails.
type cutTransport struct{ wires sync.Map }

// A wire is all connections to one address, one after the other.
type wire struct {
	addr string
	mu   sync.Mutex
	cond sync.Cond
	now  *cutConn // the connection of the moment
}

func newWire(t *testing.T) *wire {
	tr, _ := transport.Lookup("testcut")
	w := &wire{addr: t.Name()}
	w.cond.L = &w.mu
	tr.(*cutTransport).wires.Store(w.addr, w)
	t.Cleanup(func() { tr.(*cutTransport).wires.Delete(w.addr) })
	return w
}

func (w *wire) endpoint() string { return "testcut://" + w.addr }

// arm makes the connection of the moment fail after k more bytes.
func (w *wire) arm(k int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now.left = k
	w.now.armed = true
}

func (tr *cutTransport) Listen(ctx context.Context, addr string, opts *transport.Options) (transport.Listener, error) {
	return inproc.Transport{}.Listen(ctx, "cut."+addr, opts)
}

func (tr *cutTransport) Dial(ctx context.Context, addr string, opts *transport.Options) (transport.Conn, error) {
	w, ok := tr.wires.Load(strings.TrimPrefix(addr, "cut."))
	if !ok {
		return nil, errors.New("cut: no such wire")
	}
	nc, err := inproc.Transport{}.Dial(ctx, addr, opts)
	if err != nil {
		return nil, err
	}
	c := &cutConn{Conn: nc, wire: w.(*wire)}
	c.wire.mu.Lock()
	c.wire.now = c
	c.wire.mu.Unlock()
	return c, nil
}

type cutConn struct {
	net.Conn
	wire  *wire
	armed bool // guarded by wire.mu, as left
	left  int64
}

var errCutByTest = errors.New("cut by the test")

func (c *cutConn) Write(b []byte) (n int, err error) {
	c.wire.mu.Lock()
	take := int64(len(b))
	cut := c.armed && c.left <= take
	if cut {
		take = c.left
	}
	c.left -= take
	c.wire.mu.Unlock()
	n, err = c.Conn.Write(b[:take])
	if err == nil && cut {
		c.Conn.Close() // the peer still reads what was written
		err = errCutByTest
	}
	return n, err
}

// wireSize is the length of a message on the wire.
func wireSize(frames [][]byte) (n int64) {
	for _, f := range frames {
		n += 2 + int64(len(f))
		if len(f) > 255 {
			n += 7
		}
	}
	return n
}

func striped(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7+i>>8) ^ seed
	}
	return b
}

// A cutCase is a message of three frames, and how many more wait behind it.
type cutCase struct {
	name   string
	frames [][]byte
	behind int
	given  bool // by SendMsg
	hwm    int
	stride int64 // in the small size
}

// A connection is cut at every byte offset of a message. Nothing partial
// arrives and nothing twice, and everything does arrive, after the connection
// came back.
func TestCutAtEveryByte(t *testing.T) {
	small := [][]byte{[]byte("one"), striped(300, 2), nil}
	large := [][]byte{striped(9000, 1), []byte("two"), striped(8193, 3)}
	for _, c := range []cutCase{
		{name: "small", frames: small, stride: 1},
		{name: "small-behind", frames: small, behind: 5, stride: 3},
		{name: "small-hwm", frames: small, behind: 7, hwm: 2, stride: 3},
		{name: "large", frames: large, stride: 211},
		{name: "large-given", frames: large, behind: 3, given: true, stride: 211},
		{name: "large-hwm", frames: large, behind: 4, given: true, hwm: 1, stride: 211},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t)
			pull := msgcore.NewPull(nil)
			push := msgcore.NewPush(&msgcore.Options{SendHWM: c.hwm, Reconnect: msgcore.Reconnect{Interval: time.Millisecond}})
			pair(t, pull, push, w.endpoint())
			size := wireSize(c.frames)
			step := scaled(c.stride, 1)
			for k := int64(0); k <= size; {
				cutOnce(t, w, push, pull, c, k)
				if near := min(k, size-k); near < 20 { // the first header, the last bytes
					k++
				} else {
					k = min(k+step, size-19)
				}
			}
			require.Zero(t, push.Stats().DroppedLost)
			require.Empty(t, push.Pending())
		})
	}
}

// cutOnce sends c's message and those behind it over a connection that takes
// k bytes.
func cutOnce(t *testing.T, w *wire, push, pull *msgcore.Socket, c cutCase, k int64) {
	t.Helper()
	require.NoError(t, push.WaitPeers(ctx30(t), 1))
	w.arm(k)
	sent := make(chan error, 1)
	go func() { sent <- sendCut(push, c) }()
	seen := make([]bool, 1+c.behind)
	for range seen {
		m, err := pull.Recv(ctx30(t))
		require.NoError(t, err, "cut after %d bytes", k)
		i := 0
		if len(m.Frames) == 1 {
			_, err = fmt.Sscanf(string(m.Frames[0]), "behind %d", &i)
			require.NoError(t, err)
		} else {
			require.Len(t, m.Frames, len(c.frames), "cut after %d bytes", k)
			for j, f := range c.frames {
				require.True(t, string(f) == string(m.Frames[j]), "frame %d, cut after %d bytes", j, k)
			}
		}
		require.False(t, seen[i], "message %d came twice, cut after %d bytes", i, k)
		seen[i] = true
		m.Release()
	}
	require.NoError(t, <-sent)
	_, ok, err := pull.TryRecv()
	require.NoError(t, err)
	require.False(t, ok, "a message too many, cut after %d bytes", k)
	awaitPending(t, push)
}

func sendCut(push *msgcore.Socket, c cutCase) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var err error
	if c.given {
		m := msgcore.Msg{}
		for _, f := range c.frames {
			m.Frames = append(m.Frames, append([]byte(nil), f...))
		}
		err = push.SendMsg(ctx, m)
	} else {
		err = push.Send(ctx, c.frames...)
	}
	for i := 1; i <= c.behind && err == nil; i++ {
		err = push.Send(ctx, fmt.Appendf(nil, "behind %d", i))
	}
	return err
}

// awaitPending waits until nothing is queued.
func awaitPending(t *testing.T, s *msgcore.Socket) {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.Pending()) == 0 }, 30*time.Second, time.Millisecond)
}

// Cut after cut, at random, with several senders: everything arrives once.
func TestCutAtRandom(t *testing.T) {
	w := newWire(t)
	pull := msgcore.NewPull(nil)
	push := msgcore.NewPush(&msgcore.Options{SendHWM: 10, Reconnect: msgcore.Reconnect{Interval: time.Millisecond}})
	pair(t, pull, push, w.endpoint())
	require.NoError(t, push.WaitPeers(ctx30(t), 1))
	const senders = 4
	each := scaled(300, 5000)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var group sync.WaitGroup
	defer group.Wait()
	for s := range senders {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range each {
				if err := push.Send(ctx, fmt.Appendf(nil, "%d %d", s, i), striped(i*37%12000, byte(i))); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	seen := map[string]bool{}
	for n := range senders * each {
		if n%20 == 0 {
			w.arm(rand.Int64N(60000))
		}
		m, err := pull.Recv(ctx)
		require.NoError(t, err)
		key := string(m.Frames[0])
		var s, i int
		_, err = fmt.Sscan(key, &s, &i)
		require.NoError(t, err)
		require.Equal(t, striped(i*37%12000, byte(i)), m.Frames[1])
		require.False(t, seen[key], "%s came twice", key)
		seen[key] = true
		m.Release()
	}
}

// What came whole before a large frame does not wait for it.
func TestSmallBeforeLarge(t *testing.T) {
	pull, _, nc := pullOverPipe(t, nil)
	b := []byte{0, 5, 'f', 'i', 'r', 's', 't'}
	b = zmtp.AppendHeader(b, 0, 1<<20)
	_, err := nc.Write(append(b, "beginning"...))
	require.NoError(t, err)
	m, err := pull.Recv(ctx30(t))
	require.NoError(t, err)
	require.Equal(t, "first", string(m.Bytes()))
}
