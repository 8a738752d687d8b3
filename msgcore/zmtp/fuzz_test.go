package zmtp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

func FuzzGreeting(f *testing.F) {
	f.Add(greeting(v31))
	f.Add(greeting(v30))
	f.Add(zmtp.AppendGreeting(nil, zmtp.Greeting{Version: v31, Mechanism: "CURVE", Server: true}))
	f.Add(unhex("01 00"))
	f.Add(unhex("ff 0000000000000101 00"))
	f.Add(unhex("ff 0000000000000001 7f 00"))
	f.Add(unhex("ff 0000000000000001 7f 01 05 0000"))
	f.Add(unhex("ff 0000000000000001 7f 03"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, size, err := zmtp.ParseGreeting(b)
		if err != nil {
			requireRule(t, err)
			require.Zero(t, size)
			return
		}
		if size == 0 {
			require.Less(t, len(b), zmtp.GreetingSize)
			return
		}
		require.Equal(t, zmtp.GreetingSize, size)
		// What we make of it says the same again.
		again, size, err := zmtp.ParseGreeting(zmtp.AppendGreeting(nil, g))
		require.NoError(t, err)
		require.Equal(t, zmtp.GreetingSize, size)
		require.Equal(t, g, again)
		// No part of it would have been judged otherwise.
		for cut := range zmtp.GreetingSize {
			_, size, err := zmtp.ParseGreeting(b[:cut])
			require.NoError(t, err)
			require.Zero(t, size)
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(unhex("00 00"))
	f.Add(unhex("01 ff"))
	f.Add(unhex("02 0000000000000001"))
	f.Add(unhex("03 0000000000000100"))
	f.Add(unhex("04 05"))
	f.Add(unhex("06 4000000000000000"))
	f.Add(unhex("02 8000000000000000"))
	f.Add(unhex("05 00"))
	f.Add(unhex("80 00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		flags, n, size, err := zmtp.ParseHeader(b)
		if err != nil {
			requireRule(t, err)
			return
		}
		if size == 0 {
			require.Less(t, len(b), zmtp.MaxHeader)
			return
		}
		require.LessOrEqual(t, size, len(b))
		long := flags&zmtp.FlagLong != 0
		require.Equal(t, long, size == zmtp.MaxHeader)
		if n > 1<<30 || long && n <= 255 {
			return // an int may not hold it; a form that we do not send
		}
		require.Equal(t, b[:size], zmtp.AppendHeader(nil, flags, int(n)))
	})
}

// FuzzFrame reads a stream of frames through a Conn and as the codec alone would.
func FuzzFrame(f *testing.F) {
	f.Add(unhex("00 02 'hi'"), int64(0))
	f.Add(unhex("01 00 | 00 02 6869 | 04 07 04'PING' 0032"), int64(1))
	f.Add(unhex("04 0c 09'SUBSCRIBE'4142 | 02 0000000000000001 'x'"), int64(0))
	f.Add(unhex("02 4000000000000000 00"), int64(0))
	f.Add(unhex("06 4000000000000000 00"), int64(100))
	f.Add(unhex("04 0a 05'ERROR' 03'400'"), int64(0))
	f.Fuzz(func(t *testing.T, b []byte, limit int64) {
		c, _ := play(t, &zmtp.Config{MaxFrame: limit}, b)
		defer c.Close()
		var read uint64
		used := allocated(func() {
			for rest := b; ; {
				got, err := c.ReadAny()
				flags, n, size, perr := zmtp.ParseHeader(rest)
				if err != nil {
					switch {
					case perr != nil:
						require.Equal(t, perr, err)
					case len(rest) == 0:
						require.Equal(t, io.EOF, err)
					case errors.Is(err, zmtp.ErrTooBig):
						require.Greater(t, n, uint64(max(limit, 0)))
					case size == 0 || n > uint64(len(rest)-size):
						require.Equal(t, io.ErrUnexpectedEOF, err)
					default: // a whole frame that was refused: a command
						require.NotZero(t, flags&zmtp.FlagCommand)
					}
					return
				}
				require.NoError(t, perr)
				require.NotZero(t, size)
				require.Equal(t, flags&zmtp.FlagMore != 0, got.More)
				require.Equal(t, flags&zmtp.FlagCommand != 0, got.Command)
				require.True(t, bytes.Equal(rest[size:size+int(n)], got.Body))
				rest = rest[size+int(n):]
				read++
			}
		})
		require.Less(t, used, uint64(1<<20+64*len(b))+4096*read)
	})
}

func FuzzCommand(f *testing.F) {
	f.Add(unhex("05'READY' 0b'Socket-Type' 00000003'SUB'"))
	f.Add(unhex("05'ERROR' 03'400'"))
	f.Add(unhex("04'PING' 0032"))
	f.Add(unhex("09'SUBSCRIBE'4142"))
	f.Add(unhex("01'x'"))
	f.Add(unhex("00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		prefix, _, ok := zmtp.ParseSubscription(zmtp.Frame{Command: true, Body: body})
		name, data, err := zmtp.ParseCommand(body)
		if err != nil {
			requireRule(t, err)
			require.False(t, ok)
			return
		}
		require.True(t, bytes.Equal(body, zmtp.AppendCommandBody(nil, name, data)))
		frame := zmtp.AppendCommand(nil, name, data)
		_, n, size, err := zmtp.ParseHeader(frame)
		require.NoError(t, err)
		require.True(t, bytes.Equal(body, frame[size:]))
		require.EqualValues(t, len(body), n)
		require.Equal(t, name == zmtp.CommandSubscribe || name == zmtp.CommandCancel, ok)
		if ok {
			require.True(t, bytes.Equal(data, prefix))
		}
		if reason, err := zmtp.ParseError(data); err == nil {
			require.LessOrEqual(t, len(reason), 255)
		} else {
			requireRule(t, err)
		}
	})
}

func FuzzProperties(f *testing.F) {
	f.Add(unhex("0b'Socket-Type' 00000003'REQ' 08'Identity' 00000004'myid'"))
	f.Add(unhex("0b'socket-TYPE' 00000003'REQ' 03'X-a' 00000000"))
	f.Add(unhex("01'A' 00000000 01'a' 00000000"))
	f.Add(unhex("01'A' ffffffff"))
	f.Add(unhex("00 00000000"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := zmtp.ParseProperties(data)
		if err != nil {
			requireRule(t, err)
			return
		}
		for name, value := range p {
			require.NotEmpty(t, name)
			require.Equal(t, value, p.Get(name))
		}
		out := zmtp.AppendProperties(nil, p)
		require.Len(t, out, len(data))
		again, err := zmtp.ParseProperties(out)
		require.NoError(t, err)
		require.Equal(t, p, again)
	})
}

func FuzzPing(f *testing.F) {
	f.Add([]byte{0, 50}, int64(5*time.Second))
	f.Add([]byte{0xff, 0xff, 'c'}, int64(66*time.Second))
	f.Add([]byte("0123456789abcdef01234"), int64(-1))
	f.Fuzz(func(t *testing.T, data []byte, ns int64) {
		ttl, context, err := zmtp.ParsePing(data)
		if err != nil {
			requireRule(t, err)
			require.Less(t, len(data), 2)
			return
		}
		require.True(t, ttl >= 0 && ttl <= 6553500*time.Millisecond)
		require.LessOrEqual(t, len(context), zmtp.MaxPingContext)

		sent := time.Duration(ns)
		frame := zmtp.AppendPing(nil, sent, data)
		_, n, size, err := zmtp.ParseHeader(frame)
		require.NoError(t, err)
		require.Len(t, frame, size+int(n))
		_, payload, err := zmtp.ParseCommand(frame[size:])
		require.NoError(t, err)
		got, gotContext, err := zmtp.ParsePing(payload)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(data, gotContext))
		want := min(max(sent, 0), zmtp.MaxPingTTL)
		require.True(t, got >= want && got < want+100*time.Millisecond, "%v for %v", got, sent)
	})
}

// FuzzHandshake lets arbitrary bytes be the peer: all of it, what follows a good
// greeting, or what follows a good handshake; towards NULL and towards either role
// of a mechanism with roles. In half of the modes a part of it was read before, and
// more is read at once than is needed.
func FuzzHandshake(f *testing.F) {
	toyGreeting := func(server bool) []byte {
		return zmtp.AppendGreeting(nil, zmtp.Greeting{Version: v31, Mechanism: "TOY", Server: server})
	}
	all := append(greeting(v31), ready(props("SUB"))...)
	f.Add(all, byte(0))
	f.Add(append(bytes.Clone(all), unhex("040c 09'SUBSCRIBE'4142")...), byte(0))
	f.Add(ready(props("SUB")), byte(1))
	f.Add(unhex("06 4000000000000000"), byte(1))
	f.Add(zmtp.AppendError(nil, "400"), byte(1))
	f.Add(unhex("00 01 'x'"), byte(1))
	f.Add(unhex("01 00"), byte(0))
	f.Add(unhex("01 00 | 00 02 'hi'"), byte(2))
	f.Add(append(zmtp.AppendCommand(nil, "HELLO", []byte("secret")), ready(nil)...), byte(3))
	f.Add(ready(nil), byte(4))
	for mode := byte(5); mode < 250; mode += 25 {
		f.Add(append(bytes.Clone(all), unhex("00 02 'hi'")...), mode)
		f.Add(append(ready(nil), unhex("00 02 'hi'")...), mode+1)
	}
	f.Fuzz(func(t *testing.T, b []byte, mode byte) {
		cfg := &zmtp.Config{Properties: props("PUB")}
		in := b
		switch mode % 5 {
		case 1:
			in = append(greeting(v31), b...)
		case 2:
			in = append(append(greeting(v30), ready(props("SUB"))...), b...)
		case 3:
			cfg.Mechanism = &toy{name: "TOY", server: true}
			cfg.Authorize = admitSecret
			in = append(toyGreeting(false), b...)
		case 4:
			cfg.Mechanism = &toy{name: "TOY"}
			in = append(toyGreeting(true), b...)
		}
		begun := 0
		if cfg.ReadAhead = mode/5%2 == 1; cfg.ReadAhead {
			begun = min(int(mode/10)*4, len(in))
			cfg.Begun = bytes.Clone(in[:begun])
		}
		s := newScript(in[begun:])
		used := allocated(func() {
			c, err := zmtp.Handshake(context.Background(), s, cfg)
			if err != nil {
				require.True(t, strings.HasPrefix(err.Error(), "zmtp: "), err)
				return
			}
			if mode%5 < 3 {
				// Greeting and one command, and not a byte more but to be left over.
				rest := s.in.(*bytes.Reader).Len()
				if cfg.ReadAhead {
					rest += len(c.Leftover())
				}
				_, n, size, err := zmtp.ParseHeader(in[zmtp.GreetingSize:])
				require.NoError(t, err)
				require.Equal(t, len(in)-rest, zmtp.GreetingSize+size+int(n))
			}
			defer c.Close()
			for range len(in) + 1 {
				if _, err := c.ReadMessage(); err != nil {
					return
				}
			}
			t.Error("more messages than bytes")
		})
		// Properties of six bytes each are the dearest thing that one can send.
		require.Less(t, used, uint64(1<<20+512*len(in)))
	})
}
