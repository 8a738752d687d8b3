package zmtp_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

func TestHeaderSizes(t *testing.T) {
	for _, n := range []int{0, 1, 254, 255, 256, 257, 65535, 65536, math.MaxInt32} {
		for _, flags := range []byte{0, zmtp.FlagMore, zmtp.FlagCommand} {
			h := zmtp.AppendHeader([]byte("x"), flags, n)[1:]
			require.Equal(t, n > 255, len(h) == zmtp.MaxHeader)
			for cut := range h {
				_, _, size, err := zmtp.ParseHeader(h[:cut])
				require.NoError(t, err)
				require.Zero(t, size, "%d of %d bytes", cut, len(h))
			}
			got, gotN, size, err := zmtp.ParseHeader(append(h, "body"...))
			require.NoError(t, err)
			require.Equal(t, len(h), size)
			require.EqualValues(t, n, gotN)
			require.Equal(t, flags, got&^zmtp.FlagLong)
		}
	}
}

func TestHeaderOfACommandHasNoMore(t *testing.T) {
	h := zmtp.AppendHeader(nil, zmtp.FlagCommand|zmtp.FlagMore|zmtp.FlagLong|0x80, 3)
	require.Equal(t, []byte{zmtp.FlagCommand, 3}, h)
}

func TestParseHeaderTakesLongForAnySize(t *testing.T) {
	_, n, size, err := zmtp.ParseHeader(unhex("02 0000000000000001"))
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.Equal(t, zmtp.MaxHeader, size)
	_, n, _, err = zmtp.ParseHeader(unhex("02 7fffffffffffffff"))
	require.NoError(t, err)
	require.Equal(t, uint64(math.MaxInt64), n)
}

func TestParseHeaderRefuses(t *testing.T) {
	for flags := range 256 {
		_, _, _, err := zmtp.ParseHeader([]byte{byte(flags)})
		switch {
		case flags > 7:
			requireRule(t, err, "reserved")
		case flags&5 == 5:
			requireRule(t, err, "MORE")
		default:
			require.NoError(t, err)
		}
	}
	_, _, _, err := zmtp.ParseHeader(unhex("02 8000000000000000"))
	requireRule(t, err, "63 bits")
}

func TestCommandNames(t *testing.T) {
	for _, name := range []string{"PING", "READY", "X", "JOIN", strings.Repeat("n", 255)} {
		frame := zmtp.AppendCommand(nil, name, []byte("data"))
		_, n, size, err := zmtp.ParseHeader(frame)
		require.NoError(t, err)
		require.Len(t, frame[size:], int(n))
		require.Equal(t, frame[size:], zmtp.AppendCommandBody(nil, name, []byte("data")))
		got, data, err := zmtp.ParseCommand(frame[size:])
		require.NoError(t, err)
		require.Equal(t, name, got)
		require.Equal(t, "data", string(data))
	}
	require.Equal(t, zmtp.AppendCommand(nil, strings.Repeat("n", 255), nil),
		zmtp.AppendCommand(nil, strings.Repeat("n", 300), nil), "cut")
}

func TestParseCommandRefuses(t *testing.T) {
	for _, body := range []string{"", "00", "00'X'", "02'X'", "ff"} {
		_, _, err := zmtp.ParseCommand(unhex(body))
		requireRule(t, err, "command")
	}
}

func TestErrorReason(t *testing.T) {
	long := strings.Repeat("r", 300)
	for in, want := range map[string]string{"": "", "400": "400", "no\nway\x7f\xff": "no?way??", long: long[:255]} {
		frame := zmtp.AppendError(nil, in)
		_, n, size, err := zmtp.ParseHeader(frame)
		require.NoError(t, err)
		require.Len(t, frame[size:], int(n))
		name, data, err := zmtp.ParseCommand(frame[size:])
		require.NoError(t, err)
		require.Equal(t, zmtp.CommandError, name)
		got, err := zmtp.ParseError(data)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, data := range []string{"", "02'x'"} {
		_, err := zmtp.ParseError(unhex(data))
		requireRule(t, err, "ERROR")
	}
}

func TestPing(t *testing.T) {
	long := []byte("0123456789abcdefXYZ")
	for _, c := range []struct{ in, want time.Duration }{
		{0, 0},
		{-time.Second, 0},
		{1, 100 * time.Millisecond},
		{100 * time.Millisecond, 100 * time.Millisecond},
		{101 * time.Millisecond, 200 * time.Millisecond},
		{65500 * time.Millisecond, 65500 * time.Millisecond},
		{65501 * time.Millisecond, 65500 * time.Millisecond},
		{66 * time.Second, zmtp.MaxPingTTL},
		{math.MaxInt64, zmtp.MaxPingTTL},
	} {
		frame := zmtp.AppendPing(nil, c.in, long)
		name, data, err := zmtp.ParseCommand(frame[2:])
		require.NoError(t, err)
		require.Equal(t, zmtp.CommandPing, name)
		ttl, context, err := zmtp.ParsePing(data)
		require.NoError(t, err)
		require.Equal(t, c.want, ttl, "%v", c.in)
		require.Equal(t, string(long[:16]), string(context))
	}
	// What a peer sends counts up to the wire's end, and its context is cut.
	ttl, context, err := zmtp.ParsePing(append([]byte{0xff, 0xff}, long...))
	require.NoError(t, err)
	require.Equal(t, 6553500*time.Millisecond, ttl)
	require.Len(t, context, zmtp.MaxPingContext)
	require.Len(t, zmtp.AppendPong(nil, long), 2+5+zmtp.MaxPingContext)
	for _, data := range [][]byte{nil, {1}} {
		_, _, err := zmtp.ParsePing(data)
		requireRule(t, err, "PING")
	}
}

func TestPropertiesAnyCase(t *testing.T) {
	data := unhex("0b'sOCKET-tYPE' 00000003'SUB' 05'X-Abc' 00000000 08'IDENTITY' 00000001'i'")
	p, err := zmtp.ParseProperties(data)
	require.NoError(t, err)
	require.Equal(t, zmtp.Properties{zmtp.SocketType: "SUB", zmtp.Identity: "i", "X-Abc": ""}, p,
		"well-known names are spelled right, others stay")
	require.Equal(t, "SUB", p.Get("socket-type"))
	p["X-Mine"] = "m"
	require.Equal(t, "m", p.Get("x-mINE"))
	require.Empty(t, p.Get("X-None"))
	require.Empty(t, p.Get(""))
	require.Empty(t, zmtp.Properties{"\u017focket-Type": "SUB"}.Get(zmtp.SocketType), "a long s is no s")
}

func TestPropertiesOrder(t *testing.T) {
	p := zmtp.Properties{"A": "1", zmtp.Identity: "2", zmtp.SocketType: "3", "X-B": "4", "X-A": "5"}
	want := unhex("0b'Socket-Type'00000001'3' 08'Identity'00000001'2' 01'A'00000001'1' 03'X-A'00000001'5' 03'X-B'00000001'4'")
	for range 20 {
		require.Equal(t, want, zmtp.AppendProperties(nil, p))
	}
	require.Empty(t, zmtp.AppendProperties(nil, nil))
}

func TestParsePropertiesRefuses(t *testing.T) {
	for in, words := range map[string]string{
		"00":                            "without a name",
		"00 00000000":                   "without a name",
		"01":                            "ends within",
		"01'A'":                         "ends within",
		"01'A' 000000":                  "ends within",
		"01'A' 00000001":                `"A" of 1 bytes`,
		"01'A' ffffffff 00":             "of 4294967295 bytes",
		"01'A' 00000000 01'a' 00000000": "twice",
		"0b'socket-type' 00000000 0b'Socket-Type' 00000000": "twice",
	} {
		_, err := zmtp.ParseProperties(unhex(in))
		requireRule(t, err, words)
	}
}

// A peer that fills its READY with names must not make us compare each with each.
func TestParsePropertiesManyNames(t *testing.T) {
	var data []byte
	for i := range 10_000 {
		data = append(data, 4)
		data = fmt.Appendf(data, "%04d", i)
		data = append(data, 0, 0, 0, 0)
	}
	p, err := zmtp.ParseProperties(data)
	require.NoError(t, err)
	require.Len(t, p, 10_000)
	require.Equal(t, data, zmtp.AppendProperties(nil, p))
}

func TestGreetingRefusesAtTheFirstByteThatShowsIt(t *testing.T) {
	for _, c := range []struct {
		name, in string
		words    []string
	}{
		{"1.0 without an id", "01", []string{"ZMTP 1.0"}},
		{"1.0 with an id", "05", []string{"ZMTP 1.0"}},
		{"HTTP", "'G'", []string{"0x47", "no ZMTP at all"}},
		{"1.0 with a long id", "ff 0000000000000101 00", []string{"ZMTP 1.0"}},
		{"1.0 versioned", "ff 0000000000000001 7f 00", []string{"ZMTP 1.0"}},
		{"2.0", "ff 0000000000000001 7f 01", []string{"ZMTP 2.0"}},
		{"wrong signature", "ff 0000000000000001 7d", []string{"signature", "0x7d"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(c.in)
			for cut := range b {
				_, size, err := zmtp.ParseGreeting(b[:cut])
				require.NoError(t, err)
				require.Zero(t, size)
			}
			_, _, err := zmtp.ParseGreeting(b)
			requireRule(t, err, c.words...)
		})
	}
}

func TestGreetingVersions(t *testing.T) {
	for _, c := range []struct {
		major, minor uint8
		want         zmtp.Version
	}{
		{3, 0, v30}, {3, 1, v31}, {3, 2, v31}, {4, 0, v31}, {255, 255, v31}, {2, 0, v31},
	} {
		b := zmtp.AppendGreeting(nil, zmtp.Greeting{Version: zmtp.Version{Major: c.major, Minor: c.minor}, Mechanism: "CURVE", Server: true})
		require.Len(t, b, zmtp.GreetingSize)
		for cut := range b {
			_, size, err := zmtp.ParseGreeting(b[:cut])
			require.NoError(t, err)
			require.Zero(t, size)
		}
		g, size, err := zmtp.ParseGreeting(append(b, 1, 2, 3))
		require.NoError(t, err)
		require.Equal(t, zmtp.GreetingSize, size)
		require.Equal(t, zmtp.Greeting{Version: c.want, Mechanism: "CURVE", Server: true}, g)
	}
	require.Equal(t, "3.1", v31.String())
}

func TestGreetingIgnoresWhatHasNoMeaning(t *testing.T) {
	b := greeting(v31)
	copy(b[1:9], bytes.Repeat([]byte{0xee}, 8))
	copy(b[33:], bytes.Repeat([]byte{0xee}, 31))
	g, _, err := zmtp.ParseGreeting(b)
	require.NoError(t, err)
	require.Equal(t, zmtp.Greeting{Version: v31, Mechanism: "NULL"}, g)
	b[12+5] = 'X' // behind the NUL
	g, _, err = zmtp.ParseGreeting(b)
	require.NoError(t, err)
	require.NotEqual(t, "NULL", g.Mechanism)
}
