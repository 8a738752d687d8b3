package zmtp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

func TestMessagesBothWays(t *testing.T) {
	a, b := pair(t, nil, nil)
	r := rand.New(rand.NewPCG(1, 2))
	var sent [][][]byte
	for range 100 {
		var m [][]byte
		for range 1 + r.IntN(4) {
			body := make([]byte, 1<<r.IntN(18)-1)
			for i := range body {
				body[i] = byte(r.Uint32())
			}
			m = append(m, body)
		}
		sent = append(sent, m)
	}
	send := func(c *zmtp.Conn) error {
		for _, m := range sent {
			if err := c.WriteMessage(m...); err != nil {
				return err
			}
		}
		return nil
	}
	errs := make(chan error, 2)
	go func() { errs <- send(a) }()
	go func() { errs <- send(b) }()
	var wg sync.WaitGroup
	for _, c := range []*zmtp.Conn{a, b} {
		wg.Go(func() {
			for _, want := range sent {
				got, err := c.ReadMessage()
				if err != nil || len(got) != len(want) {
					t.Errorf("%d frames, error %v; want %d frames", len(got), err, len(want))
					return
				}
				for i := range got {
					if !bytes.Equal(want[i], got[i]) {
						t.Errorf("frame %d differs", i)
					}
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, <-errs)
	require.NoError(t, <-errs)
}

func TestFramesAreBufferedUntilFlush(t *testing.T) {
	c, s := play(t, nil)
	body := []byte("hi")
	require.NoError(t, c.WriteFrame(zmtp.Frame{More: true, Body: nil}))
	require.NoError(t, c.WriteFrame(zmtp.Frame{Body: body}))
	copy(body, "no")
	require.Empty(t, s.written())
	require.NoError(t, c.Flush())
	require.Equal(t, unhex("0100 0002'hi'"), s.written())
	require.NoError(t, c.Flush())
	require.ErrorContains(t, c.WriteMessage(), "at least one")

	// 64 KiB do not wait, and a large body is not held at all.
	require.NoError(t, c.WriteFrame(zmtp.Frame{Body: make([]byte, 1<<20)}))
	require.Len(t, s.written(), 6+9+1<<20)
	for range 3 {
		require.NoError(t, c.WriteFrame(zmtp.Frame{Body: make([]byte, 30<<10)}))
	}
	require.Len(t, s.written(), 6+9+1<<20+3*(9+30<<10))
}

func TestReadCutAtEveryByte(t *testing.T) {
	var traffic []byte
	for i, n := range []int{3, 300, 0} {
		var flags byte
		if i < 2 {
			flags = zmtp.FlagMore
		}
		traffic = zmtp.AppendHeader(traffic, flags, n)
		traffic = append(traffic, make([]byte, n)...)
	}
	for cut := range traffic {
		c, _ := play(t, nil, traffic[:cut])
		m, err := c.ReadMessage()
		require.Nil(t, m)
		if cut == 0 {
			require.Equal(t, io.EOF, err)
		} else {
			require.Equal(t, io.ErrUnexpectedEOF, err, "%d bytes", cut)
		}
		_, again := c.ReadFrame()
		if cut != 5 && cut != 5+309 { // between two frames, which ReadFrame cannot tell
			require.Equal(t, err, again)
		}
	}
	c, _ := play(t, nil, traffic)
	m, err := c.ReadMessage()
	require.NoError(t, err)
	require.Len(t, m, 3)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// stutter reads one byte at a time and says "deadline" before each.
func stutter(b []byte) io.Reader {
	in := bytes.NewReader(b)
	deadline := false
	return readerFunc(func(b []byte) (int, error) {
		if deadline = !deadline; deadline {
			return 0, os.ErrDeadlineExceeded
		}
		return in.Read(b[:1])
	})
}

func TestReadGoesOnAfterADeadline(t *testing.T) {
	frames := [][]byte{[]byte("one"), bytes.Repeat([]byte("2"), 1000), {}}
	var traffic []byte
	for i, f := range frames {
		var flags byte
		if i < 2 {
			flags = zmtp.FlagMore
		}
		traffic = append(zmtp.AppendHeader(traffic, flags, len(f)), f...)
	}
	c, s := play(t, nil)
	s.in = stutter(traffic)
	timeouts := 0
	for {
		m, err := c.ReadMessage()
		if err == nil {
			require.Equal(t, frames, m)
			break
		}
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		timeouts++
	}
	require.Equal(t, len(traffic), timeouts)
	_, err := c.ReadMessage()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = c.ReadMessage()
	require.Equal(t, io.EOF, err)
}

func TestLimits(t *testing.T) {
	body := func(n int) []byte { return append(zmtp.AppendHeader(nil, 0, n), make([]byte, n)...) }
	more := func(n int) []byte { return append(zmtp.AppendHeader(nil, zmtp.FlagMore, n), make([]byte, n)...) }

	c, _ := play(t, &zmtp.Config{MaxFrame: 10}, body(10), body(11))
	_, err := c.ReadFrame()
	require.NoError(t, err)
	_, err = c.ReadFrame()
	require.ErrorIs(t, err, zmtp.ErrTooBig)
	require.EqualError(t, err, "zmtp: frame of 11 bytes: over this side's limit of 10")
	_, err = c.ReadFrame()
	require.ErrorIs(t, err, zmtp.ErrTooBig, "final")

	// Commands are not what MaxFrame is about, yet have an end.
	c, s := play(t, &zmtp.Config{MaxFrame: 1}, zmtp.AppendPing(nil, 0, []byte("0123456789abcdef")), zmtp.AppendHeader(nil, zmtp.FlagCommand, 64<<10+1))
	_, err = c.ReadAny()
	require.NoError(t, err)
	_, err = c.ReadAny()
	require.ErrorIs(t, err, zmtp.ErrTooBig)
	require.NoError(t, c.Close())
	require.Equal(t, zmtp.AppendPong(nil, []byte("0123456789abcdef")), s.written())

	c, _ = play(t, &zmtp.Config{MaxMessage: 200}, more(50), body(50), body(201), more(0))
	_, err = c.ReadMessage()
	require.NoError(t, err)
	_, err = c.ReadMessage()
	require.ErrorIs(t, err, zmtp.ErrTooBig)

	// Endless empty frames are no way around it.
	c, _ = play(t, &zmtp.Config{MaxMessage: 1000}, bytes.Repeat(more(0), 1000))
	_, err = c.ReadMessage()
	require.ErrorIs(t, err, zmtp.ErrTooBig)
}

// A claimed length costs nothing before its bytes arrive.
func TestReadAllocatesNothingAhead(t *testing.T) {
	for _, header := range []string{"02 4000000000000000", "02 7fffffffffffffff", "06 4000000000000000", "02 0000000040000000"} {
		c, _ := play(t, nil, unhex(header), make([]byte, 100))
		var err error
		n := allocated(func() { _, err = c.ReadAny() })
		if !errors.Is(err, zmtp.ErrTooBig) { // where an int has 32 bits it is too big at once
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
		require.Less(t, n, uint64(256<<10), header)

		c, _ = play(t, &zmtp.Config{MaxFrame: 1 << 20}, unhex(header), make([]byte, 100))
		n = allocated(func() { _, err = c.ReadAny() })
		require.ErrorIs(t, err, zmtp.ErrTooBig)
		require.Less(t, n, uint64(64<<10), "refused before allocating")
	}
}

func TestReadRefuses(t *testing.T) {
	for in, words := range map[string]string{
		"08 00":                 "reserved",
		"05 00":                 "MORE",
		"02 8000000000000000":   "63 bits",
		"04 00":                 "without a name",
		"04 06 04'PING' 00":     "PING",
		"04 06 05'ERROR'":       "ERROR",
		"04 03 09'AB'":          "within its name",
		"01 00 | 04 00 | 00 00": "without a name",
	} {
		c, _ := play(t, nil, unhex(in))
		_, err := c.ReadMessage()
		requireRule(t, err, words)
		_, again := c.ReadFrame()
		require.Equal(t, err, again, "final")
	}
}

func TestReadOwnsItsFrames(t *testing.T) {
	c, _ := play(t, nil, unhex("01 01'a' 01 01'b' 00 01'c'"))
	m, err := c.ReadMessage()
	require.NoError(t, err)
	_ = append(m[0], 'X')
	m[1][0] = 'Y'
	require.Equal(t, [][]byte{[]byte("a"), []byte("Y"), []byte("c")}, m)
}

func TestCommandsInTraffic(t *testing.T) {
	traffic := [][]byte{
		zmtp.AppendSubscribe(nil, []byte("A"), v31),
		zmtp.AppendCommand(nil, "FUTURE", []byte{1, 2, 3}),
		zmtp.AppendPong(nil, nil),
		unhex("01 01'a'"),
		zmtp.AppendPing(nil, 0, []byte("x")), // within a message: RFC 37 has none there, libzmq may
		unhex("00 01'b'"),
		zmtp.AppendError(nil, "late"),
	}
	c, s := play(t, nil, traffic...)
	m, err := c.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("a"), []byte("b")}, m)
	var rejected *zmtp.RejectedError
	_, err = c.ReadMessage()
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, "late", rejected.Reason)
	require.NoError(t, c.Close())
	require.Equal(t, zmtp.AppendPong(nil, []byte("x")), s.written())

	c, _ = play(t, nil, traffic...)
	f, err := c.ReadAny()
	require.NoError(t, err)
	prefix, subscribe, ok := zmtp.ParseSubscription(f)
	require.True(t, ok && subscribe)
	require.Equal(t, "A", string(prefix))
	f, err = c.ReadAny()
	require.NoError(t, err)
	require.Equal(t, zmtp.Frame{Command: true, Body: unhex("06'FUTURE' 010203")}, f)
}

// A PONG does not go between the frames of a message, whoever is quicker.
func TestPongWaitsForTheMessage(t *testing.T) {
	for _, early := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, s := play(t, nil, zmtp.AppendPing(nil, 0, []byte("p")))
			require.NoError(t, c.WriteFrame(zmtp.Frame{More: true, Body: []byte("a")}))
			require.NoError(t, c.Flush())
			_, err := c.ReadAny()
			require.NoError(t, err)
			if early {
				synctest.Wait()
				require.Equal(t, unhex("01 01'a'"), s.written())
			}
			require.NoError(t, c.WriteFrame(zmtp.Frame{Body: []byte("b")}))
			require.NoError(t, c.Flush())
			synctest.Wait()
			require.Equal(t, append(unhex("01 01'a' 00 01'b'"), zmtp.AppendPong(nil, []byte("p"))...), s.written())
		})
	}
}

func TestPongIsFlushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := play(t, nil, zmtp.AppendPing(nil, 0, []byte("p")), zmtp.AppendPing(nil, 0, []byte("q")))
		_, err := c.ReadAny()
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, zmtp.AppendPong(nil, []byte("p")), s.written())
		require.NoError(t, c.Close())
		_, err = c.ReadAny()
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, zmtp.AppendPong(nil, []byte("p")), s.written(), "after Close nothing is begun")
	})
}

// Both sides write and ping without end over a pipe that holds nothing: a reader
// that answered by itself would wait for the other's, for ever.
func TestPingsDoNotStopTheReaders(t *testing.T) {
	a, b := pair(t, nil, nil)
	const n = 300
	var writers, heard, readers sync.WaitGroup
	for _, c := range []*zmtp.Conn{a, b} {
		writers.Go(func() {
			for i := range n {
				if err := errors.Join(
					c.WriteCommand(zmtp.CommandPing, []byte{0, 0, byte(i)}),
					c.WriteMessage([]byte("a"), []byte("b")),
				); err != nil {
					t.Error(err)
				}
			}
		})
		heard.Add(2)
		readers.Go(func() {
			messages, pongs := 0, 0
			for {
				f, err := c.ReadAny()
				switch {
				case err != nil:
					return
				case !f.Command && !f.More:
					if messages++; messages == n {
						heard.Done()
					}
				case f.Command && bytes.Contains(f.Body, []byte(zmtp.CommandPong)):
					if pongs++; pongs == 1 {
						heard.Done()
					}
				}
			}
		})
	}
	writers.Wait()
	heard.Wait()
	a.Close()
	b.Close()
	readers.Wait()
}

func TestCloseEndsAnAnswerThatNobodyReads(t *testing.T) {
	ra, rb, ca, cb := handshakes(t, nil, nil)
	require.NoError(t, errors.Join(ra.err, rb.err))
	go cb.Write(append(zmtp.AppendPing(nil, 0, nil), unhex("00 00")...))
	_, err := ra.conn.ReadFrame()
	require.NoError(t, err)
	require.NoError(t, ra.conn.Close())
	_, err = ca.Write(nil)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestWriteErrorIsFinal(t *testing.T) {
	ra, rb, ca, cb := handshakes(t, nil, nil)
	require.NoError(t, errors.Join(ra.err, rb.err))
	require.NoError(t, cb.Close())
	err := ra.conn.WriteMessage([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.Equal(t, err, ra.conn.WriteFrame(zmtp.Frame{}))
	require.Equal(t, err, ra.conn.Flush())
	require.Equal(t, err, ra.conn.WriteCommand(zmtp.CommandPing, nil))
	require.NoError(t, ca.Close())
}

// The second write of a large frame fails: its header is out, so nothing may follow.
func TestWriteErrorInALargeBodyIsFinal(t *testing.T) {
	_, s := play(t, nil)
	s.in = bytes.NewReader(append(greeting(v31), ready(nil)...))
	w := &limited{script: s, left: 3} // greeting, READY, header
	c, err := zmtp.Handshake(context.Background(), w, nil)
	require.NoError(t, err)
	require.ErrorIs(t, c.WriteFrame(zmtp.Frame{Body: make([]byte, 1<<20)}), errBroken)
	w.left = 100
	require.ErrorIs(t, c.WriteMessage([]byte("x")), errBroken)
	require.Equal(t, 100, w.left)
}

// limited lets so many writes pass.
type limited struct {
	*script
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.left == 0 {
		return 0, errBroken
	}
	l.left--
	return l.script.Write(b)
}

func TestCloseOfWhatCannotBeClosed(t *testing.T) {
	c, _ := play(t, nil)
	require.NoError(t, c.Close())
}
