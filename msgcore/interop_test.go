package msgcore_test

import (
	"bytes"
	"context"
	"crypto/sha3"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// streamPool is where the frames of a stream are cut out of.
var streamPool = sync.OnceValue(func() []byte {
	h := sha3.NewSHAKE128()
	h.Write([]byte("solomq"))
	pool := make([]byte, 2<<20)
	h.Read(pool)
	return pool
})

// A stream tells which messages a sender sends and a receiver wants: count of
// them, of 0 B to 1 MiB, log-uniform as long as about budget bytes suffice for it.
type stream struct {
	seed   uint64
	count  int
	budget int
}

// messages yields the same as the function of this name in peer.py. The frames
// must not be modified.
func (s stream) messages(yield func(int, [][]byte) bool) {
	pool := streamPool()
	state := s.seed
	draw := func() uint64 { // splitmix64
		state += 0x9E3779B97F4A7C15
		z := (state ^ state>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		return z ^ z>>31
	}
	below := func(n int) int { return int(draw() % uint64(n)) }
	spent := 0
	for i := range s.count {
		k := below(21)
		n := 1 << 20
		if k < 20 {
			n = 1<<k - 1 + below(1<<k)
		}
		if i%100 != 0 && spent+n > s.budget*(i+1)/s.count+1<<20 {
			n %= 512
		}
		spent += n
		ends := []int{}
		for range below(4) {
			ends = append(ends, below(n+1))
		}
		slices.Sort(ends)
		ends = append(ends, n)
		at := below(len(pool) - n)
		var frames [][]byte
		from := 0
		for _, end := range ends {
			frames = append(frames, pool[at+from:at+end:at+end])
			from = end
		}
		if !yield(i, frames) {
			return
		}
	}
}

// args are those of peer.py's operations.
func (s stream) args(more ...any) []any {
	return append([]any{s.seed, s.count, s.budget}, more...)
}

// send sends the stream.
func (s stream) send(ctx context.Context, to *msgcore.Socket) error {
	for i, frames := range s.messages {
		if err := to.Send(ctx, frames...); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}

// same says how m differs from the i-th message of a stream.
func same(i int, want [][]byte, m msgcore.Msg) error {
	equal := len(want) == len(m.Frames)
	for j := range want {
		equal = equal && bytes.Equal(want[j], m.Frames[j])
	}
	if equal {
		return nil
	}
	sizes := func(frames [][]byte) (n []int) {
		for _, f := range frames {
			n = append(n, len(f))
		}
		return n
	}
	return fmt.Errorf("message %d: got frames of %d bytes, want %d, equal to the pool's", i, sizes(m.Frames), sizes(want))
}

// recv receives the stream and compares. What announces it is skipped.
func (s stream) recv(ctx context.Context, from *msgcore.Socket, skip func(msgcore.Msg) bool) error {
	for i, want := range s.messages {
		m, err := from.Recv(ctx)
		for err == nil && skip != nil && skip(m) {
			m, err = from.Recv(ctx)
		}
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if err := same(i, want, m); err != nil {
			return err
		}
		if i%3 > 0 { // the collector gets some
			m.Release()
		}
	}
	return nil
}

// request sends the stream and wants it echoed: one by one on a REQ, else as
// fast as the socket takes it.
func (s stream) request(ctx context.Context, to *msgcore.Socket) error {
	if to.Type() != msgcore.Req {
		sent := make(chan error, 1)
		go func() { sent <- s.send(ctx, to) }()
		if err := s.recv(ctx, to, nil); err != nil {
			return err
		}
		return <-sent
	}
	for i, frames := range s.messages {
		if err := to.Send(ctx, frames...); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		m, err := to.Recv(ctx)
		if err == nil {
			err = same(i, frames, m)
		}
		if err != nil {
			return err
		}
		m.Release()
	}
	return nil
}

// echo sends back what comes.
func echo(ctx context.Context, s *msgcore.Socket, count int) error {
	for range count {
		m, err := s.Recv(ctx)
		if err == nil {
			err = s.SendMsg(ctx, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A combination is a way in which a socket of ours and one of libzmq talk.
type combination struct {
	ours   msgcore.Type
	theirs string
	role   string // ours: send, recv, request, echo
	light  bool   // a few messages: another one has the same types
}

var combinations = []combination{
	{msgcore.Push, "PULL", "send", false},
	{msgcore.Pull, "PUSH", "recv", false},
	{msgcore.Pub, "SUB", "send", false},
	{msgcore.Sub, "PUB", "recv", false},
	{msgcore.XPub, "XSUB", "send", false},
	{msgcore.XSub, "XPUB", "recv", false},
	{msgcore.Pair, "PAIR", "send", false},
	{msgcore.Pair, "PAIR", "recv", false},
	{msgcore.Req, "REP", "request", false},
	{msgcore.Rep, "REQ", "echo", false},
	{msgcore.Dealer, "ROUTER", "request", false},
	{msgcore.Router, "DEALER", "echo", false},
	{msgcore.Pub, "XSUB", "send", true},
	{msgcore.XPub, "SUB", "send", true},
	{msgcore.Sub, "XPUB", "recv", true},
	{msgcore.XSub, "PUB", "recv", true},
	{msgcore.Req, "ROUTER", "request", true},
	{msgcore.Router, "REQ", "echo", true},
	{msgcore.Dealer, "DEALER", "request", true},
	{msgcore.Dealer, "DEALER", "echo", true},
}

func TestInteropStreams(t *testing.T) {
	py := startPython(t)
	seed := uint64(20260101)
	for _, c := range combinations {
		for _, scheme := range []string{"tcp", "ipc"} {
			for _, binder := range []string{"we bind", "they bind"} {
				seed++
				s := stream{seed: seed, count: sized(200, 10000), budget: sized(2<<20, 240<<20)}
				if c.light {
					s.count, s.budget = 100, 1<<20
				}
				if c.role == "request" || c.role == "echo" {
					s.budget /= 2 // each message passes twice
				}
				t.Run(fmt.Sprintf("%v %s to %s/%s/%s", c.ours, c.role, c.theirs, scheme, binder), func(t *testing.T) {
					c.run(t, py, scheme, binder == "we bind", s)
				})
			}
		}
	}
}

func (c combination) run(t *testing.T, py *python, scheme string, bind bool, s stream) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	o := &msgcore.Options{Linger: patience}
	switch c.ours {
	case msgcore.Pub, msgcore.XPub:
		o.SendHWM = -1 // a stream with holes would not be equal
	case msgcore.Router:
		o.Router.Mandatory = true
	}
	ours := open(t, c.ours, o)
	wantAll(t, ours)
	po := pyOptions{}
	switch c.theirs {
	case "SUB":
		po["SUBSCRIBE"], po["RCVHWM"] = "", 0
	case "XSUB":
		po["RCVHWM"] = 0
	case "PUB", "XPUB", "ROUTER":
		po["SNDHWM"] = 0
	}
	theirs := py.open(t, c.theirs, po)
	endpoint := "tcp://127.0.0.1:*"
	if scheme == "ipc" {
		endpoint = unused(t, "ipc")
	}
	if bind {
		theirs.do(t, "connect", bindTo(t, ours, endpoint))
	} else {
		require.NoError(t, ours.Connect(theirs.bind(t, endpoint)))
	}
	switch c.role {
	case "send":
		if c.theirs == "XSUB" {
			theirs.send(t, "\x01")
		}
		done := theirs.start(t, "recv_stream", s.args()...)
		if !lacks(c.ours, "wait for subscribers of") {
			require.NoError(t, ours.WaitSubscribers(ctx, 1))
		}
		require.NoError(t, s.send(ctx, ours))
		py.await(t, done)
	case "recv":
		publishes := strings.HasSuffix(c.theirs, "PUB")
		done := theirs.start(t, "send_stream", s.args(publishes)...)
		if !publishes {
			require.NoError(t, s.recv(ctx, ours, nil))
			py.await(t, done)
			break
		}
		announces := func(m msgcore.Msg) bool { return string(m.Frames[0]) == "\x00sync" }
		m, err := ours.Recv(ctx)
		require.NoError(t, err)
		require.True(t, announces(m))
		py.await(t, theirs.start(t, "go"))
		require.NoError(t, s.recv(ctx, ours, announces))
		py.await(t, done)
	case "request":
		done := theirs.start(t, "echo_stream", s.count)
		require.NoError(t, s.request(ctx, ours))
		py.await(t, done)
	case "echo":
		window := 1
		if c.theirs == "DEALER" {
			window = 20
		}
		done := theirs.start(t, "request_stream", s.args(window)...)
		require.NoError(t, echo(ctx, ours, s.count))
		py.await(t, done)
	}
}
