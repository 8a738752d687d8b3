package msgcore_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// A scriptConn is a connection to a peer that has said all that it will ever
// say, in pieces of so many bytes, and hears everything.
type scriptConn struct {
	mu    sync.Mutex
	rest  []byte // guarded by mu
	piece int
}

func (c *scriptConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), c.piece)], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *scriptConn) Write(b []byte) (int, error)    { return len(b), nil }
func (c *scriptConn) Close() error                   { return nil }
func (*scriptConn) LocalAddr() net.Addr              { return fakeAddr("us") }
func (*scriptConn) RemoteAddr() net.Addr             { return fakeAddr("them") }
func (*scriptConn) SetDeadline(time.Time) error      { return nil }
func (*scriptConn) SetReadDeadline(time.Time) error  { return nil }
func (*scriptConn) SetWriteDeadline(time.Time) error { return nil }

// one returns an endpoint to bind to, where c comes in and nothing else.
func one(c net.Conn, addr string) string {
	conns := make(chan net.Conn, 1)
	conns <- c
	closed := make(chan struct{})
	f := &fake{close: func() { close(closed) }}
	f.accept = func() (net.Conn, error) {
		select {
		case c := <-conns:
			return c, nil
		case <-closed:
			return nil, net.ErrClosed
		}
	}
	return f.setUp(addr)
}

const fuzzLimit = 1 << 20 // MaxMessage

// wholeMessages is what a socket must have received of a stream that follows the
// handshake: the whole messages ahead of the first byte that breaks the rules.
func wholeMessages(b []byte) (list [][][]byte) {
	var frames [][]byte
	content := 0
	for {
		flags, n, size, err := zmtp.ParseHeader(b)
		if err != nil || size == 0 {
			return list
		}
		isCommand := flags&zmtp.FlagCommand != 0
		if isCommand && n > 64<<10 || !isCommand && int64(n) > int64(fuzzLimit-content) || n > uint64(len(b)-size) {
			return list
		}
		body := b[size : size+int(n)]
		b = b[size+int(n):]
		if isCommand {
			name, data, err := zmtp.ParseCommand(body)
			if err != nil || name == zmtp.CommandError {
				return list
			}
			if _, _, err := zmtp.ParsePing(data); name == zmtp.CommandPing && err != nil {
				return list
			}
			continue
		}
		frames = append(frames, body)
		content += len(body)
		if len(frames) > 1000 {
			content += 32
		}
		if flags&zmtp.FlagMore == 0 {
			list = append(list, frames)
			frames, content = nil, 0
		}
	}
}

var fuzzed atomic.Int64

// FuzzSession feeds arbitrary bytes, after a good handshake and in pieces of any
// size, to a ROUTER, a PUB, a PULL and a REP. None of them may panic, hang or
// leave a goroutine behind, and what is received is what whole messages say.
func FuzzSession(f *testing.F) {
	ping := zmtp.AppendPing(nil, time.Second, []byte("ctx"))
	sub := command("\x09SUBSCRIBEtopic")
	large := frame(0, bytes.Repeat([]byte("large"), 8000))
	for _, seed := range [][]byte{
		{},
		frame(0, nil), frame(0, []byte("one")), large, ping, sub,
		after(frame(zmtp.FlagMore, nil), frame(0, []byte("request"))),
		after(frame(zmtp.FlagMore, []byte("id")), ping, frame(zmtp.FlagMore, nil), sub, large, large, ping),
		after(sub, frame(0, []byte("\x01old")), frame(0, []byte("\x00old")), command("\x06CANCELtopic")),
		long(0, 1<<62), long(zmtp.FlagCommand, 1<<62), long(0, 1<<63), append(long(0, 9000), "cut"...),
		after(frame(0, []byte("good")), []byte{0xff}), after(large, large, frame(zmtp.FlagMore, []byte("x")), large),
		command("\x05ERROR\x02no"), command("\x04PING\x00"), command("\x05READY"), command(""),
		{5, 0},
		bytes.Repeat(frame(zmtp.FlagMore, nil), 3000), bytes.Repeat(frame(0, []byte("x")), 3000),
		bytes.Repeat(after(frame(zmtp.FlagMore, []byte("m")), ping), 500),
	} {
		for _, piece := range []uint16{1, 13, 4096, 65535} {
			f.Add(piece, seed)
		}
	}
	f.Fuzz(func(t *testing.T, piece uint16, b []byte) {
		for _, typ := range []msgcore.Type{msgcore.Router, msgcore.Pub, msgcore.Pull, msgcore.Rep} {
			fuzzOne(t, typ, int(piece)+1, b)
		}
	})
}

func fuzzOne(t *testing.T, typ msgcore.Type, piece int, b []byte) {
	o, w := watched(msgcore.Options{RecvHWM: -1, RecvBytes: -1, MaxMessage: fuzzLimit})
	s := msgcore.New(typ, o)
	all := after(greeting(3, 1), readyOf(counterpart[typ].String()), b)
	addr := fmt.Sprint("fuzz", fuzzed.Add(1))
	defer fakes.Delete(addr)
	_, err := s.Bind(limited(t), one(&scriptConn{rest: all, piece: piece}, addr))
	require.NoError(t, err)
	// The script ends, and so must the session.
	require.Error(t, w.times(t, 1, msgcore.Disconnected).Err)
	want := wholeMessages(b)
	for {
		m, ok, err := s.TryRecv()
		if typ == msgcore.Pub {
			require.Error(t, err)
			break
		}
		require.NoError(t, err)
		if !ok {
			break
		}
		got := m.Frames
		switch typ {
		case msgcore.Router:
			require.Len(t, got[0], 5)
			got = got[1:]
		case msgcore.Rep: // what has no envelope is dropped
			for len(want) > 0 && !isRequest(want[0]) {
				want = want[1:]
			}
			require.NotEmpty(t, want)
			for len(want[0][0]) > 0 {
				want[0] = want[0][1:]
			}
			want[0] = want[0][1:]
		}
		require.NotEmpty(t, want)
		require.Equal(t, len(want[0]), len(got))
		for i := range got {
			require.True(t, bytes.Equal(want[0][i], got[i]), "frame %d", i)
		}
		want = want[1:]
		m.Release()
	}
	switch typ {
	case msgcore.Rep:
		for _, frames := range want {
			require.False(t, isRequest(frames))
		}
	case msgcore.Pull, msgcore.Router:
		require.Empty(t, want)
	}
	require.NoError(t, s.Close())
}

// isRequest reports whether a REP has use for it: an envelope and a body.
func isRequest(frames [][]byte) bool {
	for _, f := range frames[:len(frames)-1] {
		if len(f) == 0 {
			return true
		}
	}
	return false
}
