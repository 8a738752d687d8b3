package zmtp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// What runs once for each frame or heartbeat makes no work for the collector.
func TestCodecDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 256)
	long := unhex("03 0000000000000100")
	short := unhex("01 05")
	ping := unhex("04'PING' 0032 'context'")
	subscribe := unhex("09'SUBSCRIBE' 4142")
	prefix := []byte("AB")
	properties := zmtp.Properties{zmtp.SocketType: "SUB"}
	for name, f := range map[string]func(){
		"AppendHeader": func() {
			buf = zmtp.AppendHeader(buf[:0], zmtp.FlagMore, 5)
			buf = zmtp.AppendHeader(buf[:0], 0, 1<<20)
		},
		"ParseHeader": func() {
			if _, n, _, err := zmtp.ParseHeader(long); n != 256 || err != nil {
				panic("wrong")
			}
			if _, n, _, err := zmtp.ParseHeader(short); n != 5 || err != nil {
				panic("wrong")
			}
		},
		"AppendCommand": func() { buf = zmtp.AppendCommand(buf[:0], zmtp.CommandSubscribe, prefix) },
		"ParseCommand": func() {
			if name, _, err := zmtp.ParseCommand(subscribe); name != zmtp.CommandSubscribe || err != nil {
				panic("wrong")
			}
		},
		"AppendPing": func() { buf = zmtp.AppendPing(buf[:0], time.Second, prefix) },
		"ParsePing": func() {
			_, data, _ := zmtp.ParseCommand(ping)
			if ttl, _, err := zmtp.ParsePing(data); ttl != 5*time.Second || err != nil {
				panic("wrong")
			}
		},
		"AppendPong": func() { buf = zmtp.AppendPong(buf[:0], prefix) },
		"AppendSubscribe": func() {
			buf = zmtp.AppendSubscribe(buf[:0], prefix, v31)
			buf = zmtp.AppendCancel(buf[:0], prefix, v30)
		},
		"ParseSubscription": func() {
			if _, _, ok := zmtp.ParseSubscription(zmtp.Frame{Command: true, Body: subscribe}); !ok {
				panic("wrong")
			}
		},
		"Properties.Get": func() {
			if properties.Get("SOCKET-TYPE") != "SUB" {
				panic("wrong")
			}
		},
		"AppendGreeting": func() { buf = zmtp.AppendGreeting(buf[:0], zmtp.Greeting{Version: v31, Mechanism: "NULL"}) },
	} {
		t.Run(name, func(t *testing.T) { require.Zero(t, testing.AllocsPerRun(100, f)) })
	}
}

func TestKnownCommandNamesDoNotAllocate(t *testing.T) {
	for _, name := range []string{
		zmtp.CommandReady, zmtp.CommandError, zmtp.CommandSubscribe, zmtp.CommandCancel,
		zmtp.CommandPing, zmtp.CommandPong, zmtp.CommandJoin, zmtp.CommandLeave,
		zmtp.CommandHello, zmtp.CommandWelcome, zmtp.CommandInitiate, zmtp.CommandMessage,
	} {
		body := zmtp.AppendCommandBody(nil, name, []byte("data"))
		require.Zero(t, testing.AllocsPerRun(10, func() {
			if got, _, err := zmtp.ParseCommand(body); got != name || err != nil {
				panic("wrong")
			}
		}), name)
	}
}

func BenchmarkAppendHeader(b *testing.B) {
	buf := make([]byte, 0, zmtp.MaxHeader)
	for _, n := range []int{16, 1 << 20} {
		b.Run(size(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = zmtp.AppendHeader(buf[:0], zmtp.FlagMore, n)
			}
		})
	}
}

func BenchmarkParseHeader(b *testing.B) {
	for _, n := range []int{16, 1 << 20} {
		h := zmtp.AppendHeader(nil, zmtp.FlagMore, n)
		b.Run(size(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, got, _, err := zmtp.ParseHeader(h); got != uint64(n) || err != nil {
					b.Fatal(got, err)
				}
			}
		})
	}
}

// Walking a slab of small frames is what a session's reader does.
func BenchmarkWalkFrames(b *testing.B) {
	var slab []byte
	for range 1000 {
		slab = append(zmtp.AppendHeader(slab, 0, 16), "0123456789abcdef"...)
	}
	b.SetBytes(int64(len(slab)))
	b.ReportAllocs()
	for b.Loop() {
		frames := 0
		for rest := slab; len(rest) > 0; frames++ {
			_, n, size, err := zmtp.ParseHeader(rest)
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[size+int(n):]
		}
		if frames != 1000 {
			b.Fatal(frames)
		}
	}
}

func BenchmarkCommand(b *testing.B) {
	buf := make([]byte, 0, 64)
	prefix := []byte("topic")
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = zmtp.AppendCommand(buf[:0], zmtp.CommandSubscribe, prefix)
		}
	})
	b.Run("parse", func(b *testing.B) {
		body := zmtp.AppendCommandBody(nil, zmtp.CommandSubscribe, prefix)
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := zmtp.ParseCommand(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPing(b *testing.B) {
	buf := make([]byte, 0, 64)
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = zmtp.AppendPing(buf[:0], time.Second, nil)
		}
	})
	b.Run("parse", func(b *testing.B) {
		body := unhex("04'PING' 0032")
		b.ReportAllocs()
		for b.Loop() {
			_, data, _ := zmtp.ParseCommand(body)
			if _, _, err := zmtp.ParsePing(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkProperties(b *testing.B) {
	p := zmtp.Properties{zmtp.SocketType: "DEALER", zmtp.Identity: "me", "X-App": "1"}
	data := zmtp.AppendProperties(nil, p)
	b.Run("append", func(b *testing.B) {
		buf := make([]byte, 0, 256)
		b.ReportAllocs()
		for b.Loop() {
			buf = zmtp.AppendProperties(buf[:0], p)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := zmtp.ParseProperties(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func size(n int) string {
	if n > 255 {
		return "long"
	}
	return "short"
}
