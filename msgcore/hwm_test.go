package msgcore_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// scaled returns small, or full when SOLOMQ_TEST=full asks for the big numbers.
func scaled[T any](small, full T) T {
	if os.Getenv("SOLOMQ_TEST") == "full" {
		return full
	}
	return small
}

// kernelBuffer is how large the kernel's buffers of a connection are made.
const kernelBuffer = 16 << 10

// dialRaw connects to one of our endpoints, does the handshake as a socket of
// type typ, and leaves everything else to the caller: what it does not read
// stays in the kernel.
func dialRaw(t *testing.T, endpoint, typ string) (net.Conn, *zmtp.Conn) {
	t.Helper()
	network, addr, _ := strings.Cut(endpoint, "://")
	if network == "ipc" {
		network = "unix"
	}
	nc, err := net.Dial(network, addr)
	require.NoError(t, err)
	t.Cleanup(func() { nc.Close() })
	if c, ok := nc.(*net.TCPConn); ok {
		require.NoError(t, c.SetReadBuffer(kernelBuffer))
	}
	return nc, greet(t, nc, typ)
}

// greet does the handshake over nc as a socket of type typ.
func greet(t *testing.T, nc net.Conn, typ string) *zmtp.Conn {
	t.Helper()
	z, err := zmtp.Handshake(ctx30(t), nc, &zmtp.Config{Properties: zmtp.Properties{zmtp.SocketType: typ}})
	require.NoError(t, err)
	return z
}

// numbered is a message that carries its number, and is size bytes on the wire
// but for the header.
type numbered struct{ body []byte }

func newNumbered(size int) numbered { return numbered{make([]byte, size-8)} }

// msg gives i and the body away. The body is the same for all, and so 1000 of a
// MiB are no GiB; nobody modifies it.
func (n numbered) msg(i int) msgcore.Msg {
	return msgcore.Msg{Frames: [][]byte{binary.BigEndian.AppendUint64(nil, uint64(i)), n.body}}
}

func (n numbered) check(t *testing.T, frames [][]byte, i int) {
	t.Helper()
	require.Len(t, frames, 2)
	require.Equal(t, uint64(i), binary.BigEndian.Uint64(frames[0]))
	require.Len(t, frames[1], len(n.body))
}

// A clock tells when things have settled: by how often others had a turn, in the
// scheduler and in the kernel, and not by the time, which says nothing on a busy
// machine. least is how long it takes in any case: a kernel may hold back an
// acknowledgement of tcp, and with it room, for a while.
type clock struct {
	near, far net.Conn
	least     time.Duration
}

func newClock(t *testing.T) *clock {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	far, err := l.Accept()
	require.NoError(t, err)
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		_, _ = io.Copy(far, far) // until the test ends it
	}()
	t.Cleanup(func() {
		near.Close()
		<-echoed
		far.Close()
	})
	return &clock{near: near, far: far}
}

// settled lets others have many turns, until all goroutines of the sockets wait, and
// reports whether c is still empty.
func settled[T any](t *testing.T, k *clock, c <-chan T) bool {
	t.Helper()
	b := []byte{0}
	start := time.Now()
	for n := 0; ; n++ {
		_, err := k.near.Write(b)
		require.NoError(t, err)
		_, err = k.near.Read(b)
		require.NoError(t, err)
		runtime.Gosched()
		if len(c) > 0 {
			return false
		}
		if n < 300 || time.Since(start) < k.least {
			continue
		}
		// Turns alone do not tell: the kernel may have taken the processor from a
		// thread of ours, which then is late by many of them.
		if who := atWork(); who == "" {
			return len(c) == 0
		} else if time.Since(start) > patience {
			require.FailNow(t, "something does not come to rest", who)
		}
	}
}

// atWork returns the stack of a goroutine of the library that does not wait for
// anything, if there is one.
func atWork() string {
	b := make([]byte, 1<<20)
	for len(b) == cap(b) {
		b = make([]byte, 2*cap(b))
		b = b[:runtime.Stack(b, true)]
	}
	for _, g := range strings.Split(string(b), "\n\n") {
		head, stack, _ := strings.Cut(g, "\n")
		_, state, _ := strings.Cut(head, "[")
		switch state[:strings.IndexAny(state+"]", ",]")] {
		case "IO wait", "select", "chan receive", "chan send", "sync.Cond.Wait", "sync.WaitGroup.Wait":
			continue
		}
		if strings.Contains(stack, "/msgcore.(") && !strings.Contains(stack, "testing.tRunner(") {
			return g
		}
	}
	return ""
}

// waits calls send, and reports whether it waits, for good as it seems, until its
// context ends; else it has sent.
func waits(t *testing.T, k *clock, send func(context.Context) error) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx30(t))
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- send(ctx) }()
	if settled(t, k, done) {
		cancel()
	}
	err := <-done
	if err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	return err != nil
}

// fill sends from number first on until Send waits, and returns the next number.
func fill(t *testing.T, s *msgcore.Socket, n numbered, first int) int {
	t.Helper()
	return fillBy(t, newClock(t), s, n, first)
}

func fillBy(t *testing.T, k *clock, s *msgcore.Socket, n numbered, first int) int {
	t.Helper()
	for waited := false; ; {
		ok, err := s.TrySend(n.msg(first))
		require.NoError(t, err)
		switch {
		case ok:
			first++
			waited = false
		case waited:
			return first
		default:
			waited = waits(t, k, func(ctx context.Context) error { return s.SendMsg(ctx, n.msg(first)) })
			if !waited {
				first++
			}
		}
	}
}

// marks runs f with every high-water mark and message size.
func marks(t *testing.T, f func(t *testing.T, hwm, size int)) {
	for _, hwm := range []int{1, 2, 1000} {
		for _, size := range []int{16, 1 << 20} {
			t.Run(fmt.Sprintf("hwm=%d,size=%d", hwm, size), func(t *testing.T) {
				t.Parallel()
				f(t, hwm, size)
			})
		}
	}
}

// A peer finishes its handshake and reads nothing. Send then waits when exactly
// SendHWM messages are queued beside those that the kernel holds as a whole.
func TestSendHWMStoppedReader(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			marks(t, func(t *testing.T, hwm, size int) {
				push := msgcore.NewPush(&msgcore.Options{
					SendHWM: hwm, SendBytes: -1, Linger: msgcore.Discard,
					// Small buffers take fewer messages of 16 B to fill.
					Transport: transport.Options{SendBuffer: kernelBuffer},
				})
				defer push.Close()
				ep, err := push.Bind(ctx30(t), stoppedEndpoint(t, scheme))
				require.NoError(t, err)
				nc, raw := dialRaw(t, ep, "PULL")
				require.NoError(t, push.WaitPeers(ctx30(t), 1))

				msg := newNumbered(size)
				k := newClock(t)
				if scheme == "tcp" {
					k.least = 250 * time.Millisecond
				}
				sent := fillBy(t, k, push, msg, 0)
				pending := push.Pending()
				require.Len(t, pending, 1)
				require.Equal(t, hwm, pending[0].Messages, "what counts against the mark")

				require.NoError(t, push.Close())
				kernel := readOut(t, nc, raw, msg)
				t.Logf("%d messages sent, %d of them held by the kernel", sent, kernel)
				require.Equal(t, hwm, sent-kernel, "queued when Send waited: %d sent, of which the kernel held %d", sent, kernel)
			})
		})
	}
}

func stoppedEndpoint(t *testing.T, scheme string) string {
	if scheme == "ipc" {
		dir, err := os.MkdirTemp("", "hwm") // t.TempDir has a path too long for a socket
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(dir) })
		return "ipc://" + filepath.Join(dir, "s")
	}
	return "tcp://127.0.0.1:*"
}

// readOut reads to the end of the stream and returns how many whole messages
// there were.
func readOut(t *testing.T, nc net.Conn, raw *zmtp.Conn, msg numbered) int {
	t.Helper()
	for n := 0; ; n++ {
		require.NoError(t, nc.SetReadDeadline(time.Now().Add(patience)))
		frames, err := raw.ReadMessage()
		if err != nil {
			require.True(t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), err)
			return n
		}
		msg.check(t, frames, n)
	}
}

// A Send that waits at the mark goes on once the peer reads, and nothing is lost
// or reordered.
func TestSendHWMWaitsUntilRead(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			for _, size := range []int{16, 100 << 10} {
				t.Run(fmt.Sprint(size), func(t *testing.T) {
					t.Parallel()
					push := msgcore.NewPush(&msgcore.Options{
						SendHWM: 3, Transport: transport.Options{SendBuffer: kernelBuffer}, // as there: small buffers take fewer messages to fill
					})
					defer push.Close()
					ep, err := push.Bind(ctx30(t), stoppedEndpoint(t, scheme))
					require.NoError(t, err)
					nc, raw := dialRaw(t, ep, "PULL")
					msg := newNumbered(size)
					sent := fill(t, push, msg, 0)

					done := make(chan error, 1)
					go func() {
						for i := range 100 {
							if err := push.SendMsg(ctx30(t), msg.msg(sent+i)); err != nil {
								done <- err
								return
							}
						}
						done <- nil
					}()
					for i := range sent + 100 {
						require.NoError(t, nc.SetReadDeadline(time.Now().Add(patience)))
						frames, err := raw.ReadMessage()
						require.NoError(t, err)
						msg.check(t, frames, i)
					}
					require.NoError(t, <-done)
				})
			}
		})
	}
}

// Messages for an endpoint where nobody is queue up to the mark.
func TestSendHWMNobodyThere(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc", "inproc"} {
		t.Run(scheme, func(t *testing.T) {
			marks(t, func(t *testing.T, hwm, size int) {
				for _, typ := range []msgcore.Type{msgcore.Push, msgcore.Dealer, msgcore.Pair} {
					s := msgcore.New(typ, &msgcore.Options{SendHWM: hwm, SendBytes: -1, Linger: msgcore.Discard})
					ep := map[string]string{
						"tcp": "tcp://127.0.0.1:1", "inproc": "inproc://nobody" + t.Name(),
						"ipc": "ipc://" + filepath.Join(os.TempDir(), "nobody-is-here"),
					}[scheme]
					require.NoError(t, s.Connect(ep))
					msg := newNumbered(size)
					require.Equal(t, hwm, fill(t, s, msg, 0), typ)
					require.Equal(t, hwm, s.Pending()[0].Messages)
					require.NoError(t, s.Close())
				}
			})
		})
	}
}

// On inproc there is one queue, and its mark is the sum of both. Before there is
// somebody at the other end only the sender's counts.
func TestHWMInproc(t *testing.T) {
	marks(t, func(t *testing.T, hwm, size int) {
		for _, types := range [][2]msgcore.Type{
			{msgcore.Push, msgcore.Pull}, {msgcore.Dealer, msgcore.Dealer}, {msgcore.Pair, msgcore.Pair},
		} {
			push := msgcore.New(types[0], &msgcore.Options{SendHWM: hwm, SendBytes: -1})
			pull := msgcore.New(types[1], &msgcore.Options{RecvHWM: 3, RecvBytes: -1})
			ep := "inproc://" + t.Name()
			require.NoError(t, push.Connect(ep))
			msg := newNumbered(size)
			require.Equal(t, hwm, fill(t, push, msg, 0))
			_, err := pull.Bind(ctx30(t), ep)
			require.NoError(t, err)
			require.NoError(t, push.WaitPeers(ctx30(t), 1))
			total := fill(t, push, msg, hwm)
			require.Equal(t, hwm+3, total)
			// The queue has the same bound the second time around.
			for i := range total {
				m, err := pull.Recv(ctx30(t))
				require.NoError(t, err)
				msg.check(t, m.Frames, i)
			}
			_, ok, err := pull.TryRecv()
			require.NoError(t, err)
			require.False(t, ok)
			require.Equal(t, 2*total, fill(t, push, msg, total))
			for i := range total {
				m, err := pull.Recv(ctx30(t))
				require.NoError(t, err)
				msg.check(t, m.Frames, total+i)
			}
			require.NoError(t, push.Close())
			require.NoError(t, pull.Close())
		}
	})
}

// A ROUTER with Mandatory waits at the mark of the one peer, and others are not
// held up.
func TestHWMRouterMandatory(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		router := msgcore.NewRouter(&msgcore.Options{
			SendHWM: 2, Linger: msgcore.Discard,
			Router: msgcore.RouterOptions{Mandatory: true},
		})
		stopped := msgcore.NewDealer(&msgcore.Options{RoutingID: "stopped", RecvHWM: 2})
		other := msgcore.NewDealer(&msgcore.Options{RoutingID: "other"})
		bound, err := router.Bind(ctx30(t), ep)
		require.NoError(t, err)
		for _, d := range []*msgcore.Socket{stopped, other} {
			require.NoError(t, d.Connect(bound))
			defer d.Close()
		}
		defer router.Close()
		require.NoError(t, router.WaitPeers(ctx30(t), 2))
		body := make([]byte, 64<<10)
		k := newClock(t)
		n := 0
		for ok := true; ok; {
			for ok {
				ok, err = router.TrySend(msgcore.Msg{Frames: [][]byte{[]byte("stopped"), body}})
				require.NoError(t, err)
				n++
			}
			n--
			ok = !waits(t, k, func(ctx context.Context) error { return router.Send(ctx, []byte("stopped"), body) })
			if ok {
				n++
			}
		}
		for i := range 100 {
			require.NoError(t, router.Send(ctx30(t), []byte("other"), []byte(fmt.Sprint(i))))
			m, err := other.Recv(ctx30(t))
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(i), string(m.Bytes()))
		}
		for range n {
			m, err := stopped.Recv(ctx30(t))
			require.NoError(t, err)
			require.Len(t, m.Frames, 1)
		}
		require.NoError(t, router.Send(ctx30(t), []byte("stopped"), []byte("last")))
		m, err := stopped.Recv(ctx30(t))
		require.NoError(t, err)
		require.Equal(t, "last", string(m.Bytes()))
	})
}

// pullOverPipe returns a PULL that is connected to the near end of an unbuffered
// connection: a write there ends when the PULL has read it.
func pullOverPipe(t *testing.T, opts *msgcore.Options) (*msgcore.Socket, *zmtp.Conn, net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close() })
	pull := msgcore.NewPull(opts)
	t.Cleanup(func() { pull.Close() })
	require.NoError(t, pull.Connect(dialed(t, far)))
	return pull, greet(t, near, "PUSH"), near
}

// A PULL that nobody receives from reads RecvHWM messages, and one more that
// waits for room; then the connection fills up.
func TestRecvHWM(t *testing.T) {
	for _, hwm := range []int{1, 2, 1000} {
		t.Run(fmt.Sprint(hwm), func(t *testing.T) {
			t.Parallel()
			pull, raw, _ := pullOverPipe(t, &msgcore.Options{RecvHWM: hwm})
			msg := newNumbered(16)
			written := make(chan int, 3*hwm)
			go func() {
				defer close(written)
				for i := range 3 * hwm {
					if raw.WriteMessage(msg.msg(i).Frames...) != nil {
						return
					}
					written <- i
				}
			}()
			for i := range hwm + 1 {
				require.Equal(t, i, <-written)
			}
			require.True(t, settled(t, newClock(t), written), "read beyond the mark")
			// Each message that is received makes room for one more, at the latest
			// with the batch that it came in: here, one.
			for i := range 3 * hwm {
				m, err := pull.Recv(ctx30(t))
				require.NoError(t, err)
				msg.check(t, m.Frames, i)
				for open := true; open; {
					select {
					case n, ok := <-written:
						open = ok
						require.LessOrEqual(t, n, i+hwm+2)
					default:
						open = false
					}
				}
			}
		})
	}
}

// The bound in bytes holds whatever the mark, and one message always fits.
func TestByteBounds(t *testing.T) {
	const size = 1 << 20
	wire := int64(2 + 8 + 9 + size - 8)
	msg := newNumbered(size)
	for _, c := range []struct {
		bound int64 // 0: the default
		want  int
	}{
		{0, int((64 << 20) / wire)}, {8 * wire, 8}, {8*wire - 1, 7}, {1, 1},
	} {
		t.Run(fmt.Sprint("send,", c.bound), func(t *testing.T) {
			t.Parallel()
			push := msgcore.NewPush(&msgcore.Options{SendBytes: c.bound, Linger: msgcore.Discard})
			defer push.Close()
			require.NoError(t, push.Connect("inproc://"+t.Name()))
			require.Equal(t, c.want, fill(t, push, msg, 0))
		})
	}
	t.Run("inproc", func(t *testing.T) {
		t.Parallel()
		push := msgcore.NewPush(&msgcore.Options{SendBytes: 2 * wire})
		pull := msgcore.NewPull(&msgcore.Options{RecvBytes: 3 * wire})
		pair(t, pull, push, "inproc://"+t.Name())
		require.NoError(t, push.WaitPeers(ctx30(t), 1))
		require.Equal(t, 5, fill(t, push, msg, 0))
	})
	for _, c := range []struct {
		bound int64
		want  int // one more waits for room
	}{
		{4 * wire, 5}, {1, 2},
	} {
		t.Run(fmt.Sprint("recv,", c.bound), func(t *testing.T) {
			t.Parallel()
			pull, raw, _ := pullOverPipe(t, &msgcore.Options{RecvBytes: c.bound})
			written := make(chan int, 100)
			go func() {
				for i := range 20 {
					if raw.WriteMessage(msg.msg(i).Frames...) != nil {
						return
					}
					written <- i
				}
				close(written)
			}()
			for i := range c.want {
				require.Equal(t, i, <-written)
			}
			require.True(t, settled(t, newClock(t), written), "read beyond the bound")
			for i := range 20 {
				m, err := pull.Recv(ctx30(t))
				require.NoError(t, err)
				msg.check(t, m.Frames, i)
				m.Release()
			}
		})
	}
}

// A PUB drops for a subscriber at its mark, and counts exactly what it dropped.
func TestHWMPub(t *testing.T) {
	for _, hwm := range []int{1, 2, 1000} {
		pub := msgcore.NewPub(&msgcore.Options{SendHWM: hwm})
		sub := msgcore.NewSub(&msgcore.Options{RecvHWM: 5})
		require.NoError(t, sub.Subscribe(""))
		pair(t, pub, sub, fmt.Sprint("inproc://", t.Name(), hwm))
		require.NoError(t, pub.WaitSubscribers(ctx30(t), 1))
		msg := newNumbered(16)
		for i := range 3 * (hwm + 5) {
			ok, err := pub.TrySend(msg.msg(i))
			require.NoError(t, err)
			require.True(t, ok, "a PUB never waits")
		}
		require.EqualValues(t, 2*(hwm+5), pub.Stats().DroppedFull)
		for i := range hwm + 5 {
			m, err := sub.Recv(ctx30(t))
			require.NoError(t, err)
			msg.check(t, m.Frames, i)
		}
		_, ok, err := sub.TryRecv()
		require.NoError(t, err)
		require.False(t, ok)
	}
}

// Negative marks are no marks.
func TestNoHWM(t *testing.T) {
	push := msgcore.NewPush(&msgcore.Options{SendHWM: -1, SendBytes: -1, Linger: msgcore.Discard})
	defer push.Close()
	require.NoError(t, push.Connect("inproc://"+t.Name()))
	msg := newNumbered(16)
	for i := range 50_000 {
		ok, err := push.TrySend(msg.msg(i))
		require.NoError(t, err)
		require.True(t, ok, i)
	}
	require.Equal(t, 50_000, push.Pending()[0].Messages)
	require.Equal(t, int64(50_000*(2+8+2+8)), push.Pending()[0].Bytes)
	require.Less(t, push.Pending()[0].Bytes, int64(math.MaxInt32))
}
