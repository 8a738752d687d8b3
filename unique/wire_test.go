package unique_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// everything has all fields, in some kind.
func everything() unique.Message {
	return unique.Message{
		Kind: unique.KindExit, MinVersion: 1, MaxVersion: 3, PID: 812, Generation: [16]byte{1, 15: 2}, State: unique.Busy, Started: -5,
		AppVersion: "1.2", Limit: 1 << 40, Args: []string{"a", "", "\xff\n|"}, Env: []string{"A=b", ""}, Dir: "/tmp/x\xfe",
		DirError: "because", DirCode: 2, Token: "tok", StartupID: "sid", Streams: 15, Window: 7,
		Successor: 5, Ticket: [16]byte{3, 15: 4}, Command: "open", Targets: []string{"file:///x", ""}, Terminal: 3, Rows: 24, Columns: 80, Answer: unique.AnswerCanceled, Code: -1, Reason: "why", Fault: 2, Size: 9,
		Stream: 2, Credit: 1 << 30, End: 2, Signal: "INT", Done: -3, Total: 4, Text: "text",
		Payload: [][]byte{{}, []byte("two")},
	}
}

func TestWireRoundTrip(t *testing.T) {
	for _, m := range []unique.Message{everything(), {Kind: unique.KindGo}, {Kind: unique.KindExit}, {Kind: 200}} {
		if m.Payload == nil {
			m.Payload = [][]byte{}
		}
		frames := m.Frames()
		got, err := unique.Decode(frames)
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
}

// Ten thousand argument lists of any bytes arrive as they were.
func TestWireArguments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		m := unique.Message{Kind: unique.KindRequest, Payload: [][]byte{}}
		for range rng.IntN(8) {
			b := make([]byte, rng.IntN(20))
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			m.Args = append(m.Args, string(b))
		}
		got, err := unique.Decode(m.Frames())
		require.NoError(t, err)
		require.Equal(t, m.Args, got.Args)
	}
}

func TestWireGolden(t *testing.T) {
	for _, tt := range []struct {
		m    unique.Message
		want string
	}{
		{unique.Message{Kind: unique.KindGo}, "UQ\x01\x07"},
		{unique.Message{Kind: unique.KindHello, MinVersion: 1, MaxVersion: 1}, "UQ\x01\x01\x01\x00\x00\x00\x02\x01\x01"},
		{unique.Message{Kind: unique.KindExit}, "UQ\x01\x08\x20\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00"},
		{unique.Message{Kind: unique.KindExit, Code: -2}, "UQ\x01\x08\x20\x00\x00\x00\x08\xff\xff\xff\xff\xff\xff\xff\xfe"},
		{unique.Message{Kind: unique.KindRequest, Args: []string{"ls", ""}, Dir: "/"}, "UQ\x01\x03\x10\x00\x00\x00\x02ls\x10\x00\x00\x00\x00\x12\x00\x00\x00\x01/"},
		{unique.Message{Kind: unique.KindCredit, Stream: 1, Credit: 256 << 10}, "UQ\x01\x0e\x28\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x01\x29\x00\x00\x00\x08\x00\x00\x00\x00\x00\x04\x00\x00"},
	} {
		require.Equal(t, tt.want, string(tt.m.AppendHead(nil)))
	}
}

func TestWireUnknownFieldIsSkipped(t *testing.T) {
	head := "UQ\x01\x0f" + "\xc8\x00\x00\x00\x03new" + "\x2b\x00\x00\x00\x03INT" + "\xc9\x00\x00\x00\x00"
	m, err := unique.Decode([][]byte{[]byte(head)})
	require.NoError(t, err)
	require.Equal(t, "INT", m.Signal)
}

func TestWireRefuses(t *testing.T) {
	long := func(tag byte, n int) string {
		return string(binary.BigEndian.AppendUint32([]byte{tag}, uint32(n))) + strings.Repeat("x", n)
	}
	for name, head := range map[string]string{
		"nothing":              "",
		"too short":            "UQ\x01",
		"wrong magic":          "XQ\x01\x01",
		"cut field header":     "UQ\x01\x01\x01\x00\x00",
		"length beyond end":    "UQ\x01\x03\x10\x00\x00\x00\x05abc",
		"length one beyond":    "UQ\x01\x03\x10\x00\x00\x00\x04abc",
		"length of 4 GiB":      "UQ\x01\x03\x10\xff\xff\xff\xffabc",
		"number of four bytes": "UQ\x01\x0e\x29\x00\x00\x00\x04\x00\x00\x00\x01",
		"versions of one byte": "UQ\x01\x01\x01\x00\x00\x00\x01\x01",
		"short generation":     "UQ\x01\x02\x03\x00\x00\x00\x01\x01",
		"field twice":          "UQ\x01\x0f\x2b\x00\x00\x00\x03INT\x2b\x00\x00\x00\x03INT",
		"long signal":          "UQ\x01\x0f" + long(43, 33),
		"long reason":          "UQ\x01\x06" + long(33, 1025),
		"long version":         "UQ\x01\x01" + long(6, 256),
		"long token":           "UQ\x01\x03" + long(21, 64<<10+1),
		"long text":            "UQ\x01\x11" + long(46, 64<<10+1),
	} {
		_, err := unique.Decode([][]byte{[]byte(head)})
		require.ErrorContains(t, err, "malformed", name)
	}
	_, err := unique.Decode(nil)
	require.Error(t, err)
	_, err = unique.Decode([][]byte{[]byte("UQ\x02\x01whatever")})
	require.ErrorIs(t, err, unique.ErrWireVersion)
}

// What we send is never over the limits that we refuse.
func TestWireCutsTexts(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	m := unique.Message{Kind: unique.KindProgress, Reason: long, Text: long, AppVersion: long, Signal: long, Token: long, StartupID: long, DirError: long}
	got, err := unique.Decode(m.Frames())
	require.NoError(t, err)
	require.Len(t, got.Reason, 1<<10)
	require.Len(t, got.Text, 64<<10)
}

func TestRequestSizeCountsEmptyStrings(t *testing.T) {
	m := unique.Message{Kind: unique.KindRequest, Args: make([]string, 10), Env: make([]string, 10), Payload: make([][]byte, 10)}
	require.EqualValues(t, 30*16, m.CountedSize())
}

func FuzzDecode(f *testing.F) {
	m := everything()
	f.Add(m.AppendHead(nil))
	f.Add([]byte("UQ\x01\x03\x10\x00\x00\x00\x02ls\x12\x00\x00\x00\x01/"))
	f.Add([]byte("UQ\x01\x07"))
	f.Add([]byte("UQ\x02\x07"))
	f.Add([]byte("UQ\x01\x0e\x29\x00\x00\x00\x04\x00\x00\x00\x01"))
	f.Add([]byte("UQ\x01\x01\xc8\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, head []byte) {
		before := bytes.Clone(head)
		m, err := unique.Decode([][]byte{head})
		if !bytes.Equal(before, head) {
			t.Fatal("decoding changed its input")
		}
		if err != nil {
			return
		}
		// What is understood is understood again from its canonical form.
		again, err := unique.Decode([][]byte{m.AppendHead(nil)})
		if err != nil {
			t.Fatalf("own form of %q: %v", head, err)
		}
		if !reflect.DeepEqual(m, again) {
			t.Fatalf("%q is %+v, its own form %+v", head, m, again)
		}
	})
}
