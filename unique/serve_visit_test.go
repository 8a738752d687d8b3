package unique_test

import (
	"context"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// A rawPeer speaks the protocol to a primary on ipc, message by message.
type rawPeer struct {
	t    *testing.T
	conn net.Conn
	z    *zmtp.Conn
}

func dialRaw(t *testing.T, app *unique.Instance) *rawPeer {
	t.Helper()
	path, ok := strings.CutPrefix(app.Holder().Endpoint, "ipc://")
	if !ok {
		t.Skip("the primary is not on ipc here")
	}
	conn, err := net.Dial("unix", path)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return &rawPeer{t: t, conn: conn}
}

func (p *rawPeer) shakeHands(socketType string) error {
	var err error
	p.z, err = zmtp.Handshake(within(p.t), p.conn, &zmtp.Config{Properties: zmtp.Properties{zmtp.SocketType: socketType}})
	return err
}

func (p *rawPeer) say(m *unique.Message) {
	p.t.Helper()
	require.NoError(p.t, p.z.WriteMessage(m.Frames()...))
}

func (p *rawPeer) hear(want unique.Kind) unique.Message {
	p.t.Helper()
	frames, err := p.z.ReadMessage()
	require.NoError(p.t, err)
	m, err := unique.Decode(frames)
	require.NoError(p.t, err)
	require.Equal(p.t, want, m.Kind)
	return m
}

// call goes up to GO.
func (p *rawPeer) call(m *unique.Message) {
	p.t.Helper()
	m.Kind = unique.KindRequest
	p.say(m)
	p.hear(unique.KindOffer)
	p.say(&unique.Message{Kind: unique.KindGo})
}

// One connection may carry one call after the other, whatever the handlers do to the
// goroutines that they run on.
func TestConnectionOutlivesHandlers(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.OnPanic = func(*unique.Invocation, any, []byte) {}
	app := primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		switch inv.Args[0] {
		case "exit":
			runtime.Goexit()
		case "panic":
			panic("on purpose")
		case "lock":
			runtime.LockOSThread() // and leaves it so
		}
		return 7
	})
	p := dialRaw(t, app)
	require.NoError(t, p.shakeHands("DEALER"))
	for range 3 {
		for _, what := range []string{"exit", "panic", "lock", "none"} {
			p.call(&unique.Message{Args: []string{what}})
			m := p.hear(unique.KindExit)
			if what == "lock" || what == "none" {
				require.EqualValues(t, 7, m.Code)
			}
		}
	}
}

// While a handler runs its caller is heard, and others are served.
func TestHandlerHoldsNobodyUp(t *testing.T) {
	running := make(chan struct{})
	app := primary(t, uniquetest.Options(t), func(ctx context.Context, inv *unique.Invocation) int {
		if inv.Args[0] == "quick" {
			return 0
		}
		running <- struct{}{}
		<-ctx.Done()
		return 1
	})
	var peers []*rawPeer
	for range 10 {
		p := dialRaw(t, app)
		require.NoError(t, p.shakeHands("DEALER"))
		p.call(&unique.Message{Args: []string{"slow"}})
		<-running
		peers = append(peers, p)
		quick := dialRaw(t, app)
		require.NoError(t, quick.shakeHands("REQ"))
		quick.call(&unique.Message{Args: []string{"quick"}})
		quick.hear(unique.KindExit)
		quick.conn.Close()
	}
	for _, p := range peers {
		p.say(&unique.Message{Kind: unique.KindCancel})
		p.hear(unique.KindExit)
	}
}

// A peer is heard although it reads nothing of what it is sent.
func TestUnreadOutputDoesNotDeafen(t *testing.T) {
	running, ended := make(chan struct{}), make(chan struct{})
	app := primary(t, uniquetest.Options(t), func(ctx context.Context, inv *unique.Invocation) int {
		defer close(ended)
		close(running)
		for ctx.Err() == nil { // until the window is full, and then until CANCEL
			_, _ = inv.Stdout.Write(make([]byte, 32<<10))
		}
		return 0
	})
	p := dialRaw(t, app)
	require.NoError(t, p.shakeHands("DEALER"))
	p.call(&unique.Message{Args: []string{"x"}, Streams: unique.WantStdout, Window: 1 << 20})
	<-running
	for range 10_000 {
		p.say(&unique.Message{Kind: unique.KindHello, MinVersion: 1, MaxVersion: 1})
	}
	p.say(&unique.Message{Kind: unique.KindCancel})
	<-ended
	read, answers := 0, 0
	for {
		frames, err := p.z.ReadMessage()
		require.NoError(t, err)
		m, err := unique.Decode(frames)
		require.NoError(t, err)
		if m.Kind == unique.KindExit {
			break
		}
		if m.Kind == unique.KindStdout {
			read += len(m.Payload[0])
		} else {
			answers++
		}
	}
	require.NotZero(t, read)
	require.Equal(t, 10_000, answers)
}

// A peer that says nothing, or not enough, has its time, and no more.
func TestHandshakeHasItsTime(t *testing.T) {
	for _, first := range []string{"", "\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03"} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer theirs.Close()
			defer ours.Close()
			go io.Copy(io.Discard, theirs)
			start := time.Now()
			go io.WriteString(theirs, first)
			require.ErrorIs(t, unique.ShakeHands(ours), os.ErrDeadlineExceeded)
			require.Equal(t, unique.HandshakeTime, time.Since(start))
		})
	}
}

func TestPeerOfAnotherTypeIsRefused(t *testing.T) {
	app := primary(t, uniquetest.Options(t), func(context.Context, *unique.Invocation) int { return 0 })
	p := dialRaw(t, app)
	err := p.shakeHands("PUB")
	var rejected *zmtp.RejectedError
	require.ErrorAs(t, err, &rejected)
	require.Contains(t, rejected.Reason, `"PUB"`)
}

// Nobody has to say a word for others to be served, nor for the primary to end.
func TestSilentPeersHoldNobodyUp(t *testing.T) {
	opts := uniquetest.Options(t)
	app := primary(t, opts, func(context.Context, *unique.Invocation) int { return 3 })
	for range 50 {
		dialRaw(t, app)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			second, err := unique.Acquire(within(t), testID, opts)
			if !assertNoError(t, err) {
				return
			}
			code, err := second.Forward(within(t), &unique.Invocation{Args: []string{"x"}})
			assertNoError(t, err)
			if code != 3 {
				t.Errorf("exit code %d", code)
			}
			assertNoError(t, second.Close())
		})
	}
	wg.Wait()
}

func assertNoError(t *testing.T, err error) bool {
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

// PROGRESS is not lost behind output that nobody has read yet.
func TestProgressBehindUnreadOutput(t *testing.T) {
	ended := make(chan struct{})
	app := primary(t, uniquetest.Options(t), func(_ context.Context, inv *unique.Invocation) int {
		defer close(ended)
		_, _ = inv.Stdout.Write(make([]byte, 4<<20))
		inv.Progress(unique.Progress{Done: 1, Total: 1, Text: "last"})
		return 0
	})
	p := dialRaw(t, app)
	require.NoError(t, p.shakeHands("DEALER"))
	p.call(&unique.Message{Args: []string{"x"}, Streams: unique.WantStdout | unique.WantProgress, Window: 8 << 20})
	<-ended
	for read := 0; read < 4<<20; {
		read += len(p.hear(unique.KindStdout).Payload[0])
	}
	require.Equal(t, "last", p.hear(unique.KindProgress).Text)
	p.hear(unique.KindExit)
}

// A peer that says how long its silence means that it lives is given up after that.
func TestSilentPeerIsGivenUp(t *testing.T) {
	running, ended := make(chan struct{}), make(chan struct{})
	app := primary(t, uniquetest.Options(t), func(ctx context.Context, _ *unique.Invocation) int {
		close(running)
		<-ctx.Done()
		close(ended)
		return 0
	})
	p := dialRaw(t, app)
	require.NoError(t, p.shakeHands("DEALER"))
	p.call(&unique.Message{Args: []string{"x"}})
	<-running
	_, err := p.conn.Write(zmtp.AppendPing(nil, 100*time.Millisecond, nil))
	require.NoError(t, err)
	<-ended
}

// What was answered goes out although the next words of the peer end the connection.
func TestAnswerBeforeBreach(t *testing.T) {
	app := primary(t, uniquetest.Options(t), func(context.Context, *unique.Invocation) int { return 0 })
	p := dialRaw(t, app)
	require.NoError(t, p.shakeHands("DEALER"))
	head := (&unique.Message{Kind: unique.KindHello, MinVersion: 1, MaxVersion: 1}).AppendHead(nil)
	b := append(zmtp.AppendHeader(nil, 0, len(head)), head...)
	b = zmtp.AppendHeader(b, 0, 1<<30)
	_, err := p.conn.Write(b)
	require.NoError(t, err)
	p.hear(unique.KindWelcome)
	_, err = p.z.ReadMessage()
	require.Error(t, err)
}

// Messages of more frames than the limit has room for end a connection, as too many bytes
// do.
func TestManyFramesAreTooMuch(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.MaxRequest = 1 << 10
	app := primary(t, opts, func(context.Context, *unique.Invocation) int { return 0 })
	p := dialRaw(t, app)
	require.NoError(t, p.shakeHands("DEALER"))
	go func() { // until it is cut off
		for p.z.WriteFrame(zmtp.Frame{More: true}) == nil {
		}
	}()
	_, err := p.z.ReadMessage()
	require.Error(t, err)
}

// A peer that does not read the ends of its calls is not heard any more once far too much
// waits for it; and is again when it reads.
func TestUnreadRepliesAreBounded(t *testing.T) {
	const reply = 15 << 20
	const calls = unique.MaxUnread/reply + 1
	app := primary(t, uniquetest.Options(t), func(_ context.Context, inv *unique.Invocation) int {
		inv.Reply = [][]byte{make([]byte, reply)}
		return 0
	})
	p := dialRaw(t, app)
	require.NoError(t, p.shakeHands("DEALER"))
	ask := func() {
		p.say(&unique.Message{Kind: unique.KindRequest, Args: []string{"x"}})
		p.say(&unique.Message{Kind: unique.KindGo}) // a handler is free
	}
	for n := range calls {
		ask()
		for unique.Unread(app) < n*reply+reply/2 {
			runtime.Gosched()
		}
	}
	require.Greater(t, unique.Unread(app), unique.MaxUnread)
	for range 3 { // what the system does not take is not even sent
		ask()
	}
	// One of them it was waiting for already, and may have heard.
	require.Less(t, unique.Unread(app), (calls+2)*reply)
	for exits := 0; exits < calls+1; { // the first of the three is heard now at the latest
		frames, err := p.z.ReadMessage()
		require.NoError(t, err)
		m, err := unique.Decode(frames)
		require.NoError(t, err)
		if m.Kind == unique.KindExit {
			exits++
		}
	}
}
