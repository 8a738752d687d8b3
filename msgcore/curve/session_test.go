package curve_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

func sessions() (client, server zmtp.Session) {
	key := [32]byte(fixed("key", 32))
	return curve.NewSession(key, false), curve.NewSession(key, true)
}

// sealed returns the body of a sealed frame.
func sealed(t testing.TB, s zmtp.Session, f zmtp.Frame) []byte {
	t.Helper()
	b, err := s.Seal(nil, f)
	require.NoError(t, err)
	_, _, size, err := zmtp.ParseHeader(b)
	require.NoError(t, err)
	return b[size:]
}

func requireRule(t testing.TB, err error) {
	t.Helper()
	var p *zmtp.ProtocolError
	require.ErrorAs(t, err, &p)
}

func TestSessionRefuses(t *testing.T) {
	client, server := sessions()
	first := sealed(t, client, zmtp.Frame{Body: []byte("first")})
	second := sealed(t, client, zmtp.Frame{Body: []byte("second"), More: true})
	third := sealed(t, client, zmtp.Frame{})
	var refusals []error
	refuse := func(b []byte) {
		t.Helper()
		_, err := server.Open(bytes.Clone(b))
		requireRule(t, err)
		refusals = append(refusals, err)
	}
	accept := func(b []byte, body string) {
		t.Helper()
		f, err := server.Open(bytes.Clone(b))
		require.NoError(t, err)
		require.Equal(t, body, string(f.Body))
	}
	for i := range len(second) * 8 {
		flipped := bytes.Clone(second)
		flipped[i/8] ^= 1 << (i % 8)
		refuse(flipped)
	}
	for n := range second {
		refuse(second[:n])
	}
	refuse(append(bytes.Clone(second), 0))
	_, err := client.Open(bytes.Clone(first)) // back to where it came from
	requireRule(t, err)

	accept(second, "second") // one that comes too early makes
	refuse(first)            // those before it too late
	refuse(second)           // and none is good twice
	accept(third, "")
	refuse(third)

	// Well sealed, but with flags that mean nothing.
	key := [32]byte(fixed("key", 32))
	for _, flags := range []byte{3, 4, 0x80, 0xff} {
		refuse(want(&key, "CurveZMQMESSAGEC", 100, flags, []byte("body")))
	}
	refuse(want(&key, "CurveZMQMESSAGEC", 101, 0, nil)[:32])
	accept(want(&key, "CurveZMQMESSAGEC", 100, 0, []byte("body")), "body")
	for _, err := range refusals {
		require.Same(t, refusals[0], err, "and none says why")
	}
}

// Numbers never come round: the last one is refused before it would.
func TestSessionWearsOut(t *testing.T) {
	client, server := sessions()
	curve.SetSent(client, math.MaxUint64-1)
	last := sealed(t, client, zmtp.Frame{Body: []byte("last")})
	_, err := server.Open(last)
	require.NoError(t, err)
	dst := []byte("before")
	b, err := client.Seal(dst, zmtp.Frame{})
	require.ErrorContains(t, err, "no numbers left")
	require.Equal(t, dst, b)
}

func TestSealAppends(t *testing.T) {
	client, server := sessions()
	body := fixed("body", 300)
	kept := bytes.Clone(body)
	dst := append(make([]byte, 0, 1000), "before"...)
	for i := range 1000 { // stale bytes that must not shine through
		dst[:1000][i] |= byte(i)
	}
	dst = append(dst[:0], "before"...)
	b, err := client.Seal(dst, zmtp.Frame{Body: body})
	require.NoError(t, err)
	require.Same(t, &dst[:1][0], &b[0], "there was room")
	require.Equal(t, "before", string(b[:6]))
	require.Equal(t, kept, body)
	_, _, size, err := zmtp.ParseHeader(b[6:])
	require.NoError(t, err)
	f, err := server.Open(b[6+size:])
	require.NoError(t, err)
	require.Equal(t, body, f.Body)
	require.Same(t, &b[len(b)-1], &f.Body[len(f.Body)-1], "opened in place")
}

func TestSessionDoesNotAllocate(t *testing.T) {
	client, server := sessions()
	for _, n := range []int{0, 64, 1 << 10, 64 << 10} {
		f := zmtp.Frame{Body: make([]byte, n)}
		buf := make([]byte, 0, n+100)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			b, err := client.Seal(buf, f)
			if err != nil {
				t.Fatal(err)
			}
			_, _, size, _ := zmtp.ParseHeader(b)
			if _, err := server.Open(b[size:]); err != nil {
				t.Fatal(err)
			}
		}))
	}
}

// A Conn reads on one goroutine and writes on another.
func TestSessionBothWays(t *testing.T) {
	client, server := pair(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for {
			m, err := server.ReadMessage()
			if err != nil {
				return
			}
			if err := server.WriteMessage(m...); err != nil {
				return
			}
		}
	})
	defer server.Close()
	go func() {
		for i := range 300 {
			if client.WriteMessage(make([]byte, i), nil, fixed("body", i*i)) != nil {
				return
			}
		}
	}()
	for i := range 300 {
		m, err := client.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, [][]byte{make([]byte, i), {}, fixed("body", i*i)}, m)
	}
}

// On a secured connection nothing in the clear is obeyed.
func TestUnsealedFramesAreRefused(t *testing.T) {
	lines := transcript(t)
	c, _, err := clientSide.replay(append(said(lines, "server", true), zmtp.AppendPing(nil, 0, []byte("forged")))...)
	require.NoError(t, err)
	_, err = c.ReadAny()
	requireRule(t, err)

	// Nor is one side's word when it comes back to it.
	client, server := pair(t)
	b, err := client.Session().Seal(nil, zmtp.Frame{Body: []byte("mine")})
	require.NoError(t, err)
	_, err = client.Session().Open(b[2:])
	requireRule(t, err)
	require.NoError(t, server.Close())
	_, err = client.ReadAny()
	require.True(t, errors.Is(err, io.EOF), err)
}

func FuzzOpen(f *testing.F) {
	client, _ := sessions()
	f.Add(sealed(f, client, zmtp.Frame{Body: []byte("body")}))
	f.Add(sealed(f, client, zmtp.Frame{}))
	f.Add([]byte("\x07MESSAGE"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, server := sessions()
		key := [32]byte(fixed("key", 32))
		in := bytes.Clone(b)
		frame, err := server.Open(in)
		if err != nil {
			requireRule(t, err)
		} else {
			flags := byte(0)
			if frame.More {
				flags = 1
			}
			if frame.Command {
				flags = 2
			}
			number := uint64(0)
			for _, c := range b[8:16] {
				number = number<<8 | uint64(c)
			}
			require.Equal(t, want(&key, "CurveZMQMESSAGEC", number, flags, frame.Body), b)
		}
		// What it is as the content of a frame comes out again.
		client, server := sessions()
		frame, err = server.Open(sealed(t, client, zmtp.Frame{Body: b}))
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, frame.Body))
	})
}

func benchmarkSizes(b *testing.B, run func(b *testing.B, body []byte)) {
	for _, c := range []struct {
		name string
		size int
	}{{"64B", 64}, {"1KiB", 1 << 10}, {"64KiB", 64 << 10}} {
		widths, set, restore := curve.Widths()
		for _, w := range widths {
			b.Run(c.name+"/"+w, func(b *testing.B) {
				set(w)
				defer restore()
				b.SetBytes(int64(c.size))
				b.ReportAllocs()
				run(b, make([]byte, c.size))
			})
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, body []byte) {
		client, _ := sessions()
		dst := make([]byte, 0, len(body)+100)
		for b.Loop() {
			if _, err := client.Seal(dst, zmtp.Frame{Body: body}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSealOpen is one side and the other: what opening costs is the
// difference to BenchmarkSeal.
func BenchmarkSealOpen(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, body []byte) {
		client, server := sessions()
		dst := make([]byte, 0, len(body)+100)
		for b.Loop() {
			out, err := client.Seal(dst, zmtp.Frame{Body: body})
			if err != nil {
				b.Fatal(err)
			}
			_, _, size, _ := zmtp.ParseHeader(out)
			if _, err := server.Open(out[size:]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkHandshake(b *testing.B) {
	for b.Loop() {
		client, server := pair(b)
		client.Close()
		server.Close()
	}
}
