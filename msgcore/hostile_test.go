package msgcore_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// A victim is a socket that others do their worst to.
type victim struct {
	*msgcore.Socket
	*watch
	endpoint string
}

// peerType is the wire name of what may talk to it.
func (v *victim) peerType() string { return counterpart[v.Type()].String() }

// onVictims runs f against a socket of every type.
func onVictims(t *testing.T, o msgcore.Options, f func(t *testing.T, v *victim)) {
	for _, typ := range allTypes {
		t.Run(typ.String(), func(t *testing.T) {
			t.Parallel()
			o, w := watched(o)
			v := &victim{Socket: open(t, typ, o), watch: w}
			wantAll(t, v.Socket)
			v.endpoint = bindTo(t, v.Socket, anyPort)
			f(t, v)
		})
	}
}

// signature is that of a greeting whose last byte is end.
func signature(end byte) []byte { return []byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1, end} }

// long is the header of a frame that claims n bytes.
func long(flags byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{flags | zmtp.FlagLong}, n)
}

// command is a command frame of the given body, whatever that is.
func command(body string) []byte { return frame(zmtp.FlagCommand, []byte(body)) }

func after(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// mechanism is a greeting that names another one than NULL.
func mechanism(name string) []byte {
	return zmtp.AppendGreeting(nil, zmtp.Greeting{Version: zmtp.Version{Major: 3, Minor: 1}, Mechanism: name})
}

// An attack is what a peer says that breaks the rules, and of which the error
// must tell.
type attack struct {
	name, why string
	say       []byte
}

var greeted = greeting(3, 1)

// badHandshakes break the rules before or in the handshake.
var badHandshakes = []attack{
	{"HTTP", "starts with 0x47", []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")},
	{"TLS", "starts with 0x16", []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")},
	{"zeros", "starts with 0x00", make([]byte, 100)},
	{"SSH", "starts with 0x53", []byte("SSH-2.0-OpenSSH_9.2\r\n")},
	{"wrong signature", "signature ends with 0x7d", append(signature(0x7d), 3, 0)},
	{"PLAIN", `"PLAIN"`, mechanism("PLAIN")},
	{"NULL and more", `"NULL\x00x"`, mechanism("NULL\x00x")},
	{"message", "message in the handshake", after(greeted, frame(0, []byte("early")))},
	{"message with MORE", "message in the handshake", after(greeted, frame(zmtp.FlagMore, nil))},
	{"PING", `"PING"`, after(greeted, command("\x04PING\x00\x00"))},
	{"SUBSCRIBE", `"SUBSCRIBE"`, after(greeted, command("\x09SUBSCRIBEtopic"))},
	{"HELLO", `"HELLO"`, after(greeted, command("\x05HELLO\x00\x00"))},
	{"lower case", `"ready"`, after(greeted, command("\x05ready"))},
	{"empty command", "without a name", after(greeted, command(""))},
	{"nameless command", "without a name", after(greeted, command("\x00READY"))},
	{"cut command", "ends within its name", after(greeted, command("\xffREADY"))},
	{"reserved flags", "flags 0xfc", after(greeted, []byte{0xfc, 0})},
	{"command with MORE", "MORE", after(greeted, []byte{5, 0})},
	{"command of 2^62 bytes", "4611686018427387904 bytes", after(greeted, long(zmtp.FlagCommand, 1<<62))},
	{"command of 2^63 bytes", "9223372036854775808 bytes", after(greeted, long(zmtp.FlagCommand, 1<<63))},
	{"READY of 2^32 bytes", "4294967296 bytes", after(greeted, long(zmtp.FlagCommand, 1<<32), []byte("\x05READY"))},
	{"no Socket-Type", `socket of type ""`, after(greeted, readyOf(""))},
	{"unknown Socket-Type", `socket of type "TELEPHONE"`, after(greeted, readyOf("TELEPHONE"))},
	{"nameless property", "without a name", after(greeted, command("\x05READY\x00\x00\x00\x00\x00"))},
	{"cut property", "ends within", after(greeted, command("\x05READY\x0bSocket"))},
	{"property of 4 GiB", "4294967295 bytes", after(greeted, command("\x05READY\x01X\xff\xff\xff\xff"))},
	{"property twice", "twice", after(greeted, command("\x05READY\x01X\x00\x00\x00\x00\x01X\x00\x00\x00\x00"))},
	{"ERROR", `"go away"`, after(greeted, command("\x05ERROR\x07go away"))},
	{"cut ERROR", "ends within its reason", after(greeted, command("\x05ERROR\x09go away"))},
}

// oldHandshakes are right, but of versions that Options.MinVersion may refuse.
var oldHandshakes = []attack{
	{"ZMTP 1.0", "ZMTP 1.0", []byte{1, 0}},
	{"long frame of ZMTP 1.0", "ZMTP 1.0", append(signature(0), "identity"...)},
	{"revision of ZMTP 1.0", "ZMTP 1.0", append(signature(0x7f), 0, 5, 1, 0)},
	{"ZMTP 2.0", "ZMTP 2.0", append(signature(0x7f), 1, 5, 0, 0)},
}

// badTraffic breaks them after it, for a peer with a MaxMessage of 1 MiB.
var badTraffic = []attack{
	{"frame of 2^63 bytes", "63 bits", long(0, 1<<63)},
	{"frame of 2^64-1 bytes", "63 bits", long(0, 1<<64-1)},
	{"frame of 2^62 bytes", "message too big", long(0, 1<<62)},
	{"first frame of 2^62 bytes", "message too big", long(zmtp.FlagMore, 1<<62)},
	{"second frame of 2^63-1 bytes", "message too big", after(frame(zmtp.FlagMore, []byte("x")), long(0, 1<<63-1))},
	{"one byte too much", "message too big", after(frame(zmtp.FlagMore, make([]byte, 1<<19)), long(0, 1<<19+1))},
	{"reserved flags", "reserved", []byte{0x80, 0}},
	{"all flags", "reserved", []byte{0xff, 0xff}},
	{"command with MORE", "MORE", []byte{5, 0}},
	{"command of 2^62 bytes", "a command of 4611686018427387904 bytes", long(zmtp.FlagCommand, 1<<62)},
	{"command of 64 KiB and one byte", "a command of 65537 bytes", long(zmtp.FlagCommand, 65537)},
	{"empty command", "without a name", command("")},
	{"cut command", "ends within its name", command("\x05PIN")},
	{"cut PING", "ends within its time to live", command("\x04PING\x00")},
	{"ERROR", `"no more"`, command("\x05ERROR\x07no more")},
	{"cut ERROR", "ends within its reason", command("\x05ERROR\x08no more")},
	{"end within a header", "within a message", []byte{0}},
	{"end within a long header", "within a message", long(0, 300)[:5]},
	{"end within a body", "within a message", append(long(0, 300), "short"...)},
	{"end within a large body", "within a message", append(long(0, 1<<20), make([]byte, 100<<10)...)},
	{"end within a message", "within a message", frame(zmtp.FlagMore, []byte("x"))},
}

// What breaks the rules before or in the handshake: the connection ends, the
// monitor is told why, and the next peer is served.
func TestHostileHandshakes(t *testing.T) {
	t.Run("any version", func(t *testing.T) { testHostileHandshakes(t, msgcore.Options{}, badHandshakes) })
	t.Run("ZMTP 3", func(t *testing.T) {
		o := msgcore.Options{MinVersion: zmtp.Version{Major: 3}}
		testHostileHandshakes(t, o, append(slices.Clip(badHandshakes), oldHandshakes...))
	})
}

func testHostileHandshakes(t *testing.T, o msgcore.Options, bad []attack) {
	onVictims(t, o, func(t *testing.T, v *victim) {
		for _, a := range bad {
			n := v.count()
			p := rawDial(t, v.endpoint)
			p.send(t, a.say...)
			e, _ := v.after(t, n, msgcore.HandshakeFailed)
			require.ErrorContains(t, e.Err, a.why, a.name)
			require.Equal(t, v.endpoint, e.Endpoint)
			p.ended(t)
			p.Close()
		}
		healthy(t, v.Socket, v.endpoint)
		require.Len(t, v.kindsOf(msgcore.HandshakeFailed), len(bad))
	})
}

// A peer of the wrong type is told so, and the monitor too.
func TestHostileTypes(t *testing.T) {
	onVictims(t, msgcore.Options{}, func(t *testing.T, v *victim) {
		for _, typ := range allTypes {
			if v.Type().Peers(typ) {
				continue
			}
			n := v.count()
			p := rawDial(t, v.endpoint)
			p.send(t, after(greeting(3, 1), readyOf(typ.String()))...)
			e, _ := v.after(t, n, msgcore.HandshakeFailed)
			why := fmt.Sprintf("a %v does not talk to a socket of type %q", v.Type(), typ)
			require.ErrorContains(t, e.Err, why)
			require.Equal(t, typ.String(), e.Peer.Type)
			require.NotEmpty(t, e.Peer.RemoteAddr)
			require.Contains(t, string(p.ended(t)), "\x05ERROR"+string(rune(len(why)))+why)
		}
		healthy(t, v.Socket, v.endpoint)
	})
}

// A peer that goes away after any byte of a good handshake does no harm.
func TestHostileTruncatedHandshakes(t *testing.T) {
	onVictims(t, msgcore.Options{}, func(t *testing.T, v *victim) {
		all := after(greeting(3, 1), readyOf(v.peerType()))
		for i := range all {
			n := v.count()
			p := rawDial(t, v.endpoint)
			p.send(t, all[:i]...)
			if i%2 == 0 {
				require.NoError(t, p.SetLinger(0)) // a reset instead of an end
			}
			p.Close()
			e, _ := v.after(t, n, msgcore.HandshakeFailed)
			require.Error(t, e.Err)
		}
		healthy(t, v.Socket, v.endpoint)
	})
}

// What breaks the rules after the handshake ends the connection, no other.
func TestHostileTraffic(t *testing.T) {
	onVictims(t, msgcore.Options{MaxMessage: 1 << 20}, func(t *testing.T, v *victim) {
		for _, a := range badTraffic {
			n := v.count()
			p := rawHandshake(t, v.endpoint, v.peerType())
			p.send(t, a.say...)
			if strings.HasPrefix(a.name, "end ") {
				require.NoError(t, p.CloseWrite())
			}
			e, _ := v.after(t, n, msgcore.Disconnected)
			require.ErrorContains(t, e.Err, a.why, a.name)
			p.ended(t)
		}
		healthy(t, v.Socket, v.endpoint)
	})
}

// The same from a server that we have dialed: it is dialed again each time, and
// what was to be sent reaches the first one that behaves.
func TestHostileServers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	o, w := watched(msgcore.Options{MaxMessage: 1 << 20, Reconnect: msgcore.Reconnect{Interval: time.Millisecond, Refused: time.Millisecond}})
	s := open(t, msgcore.Dealer, o)
	require.NoError(t, s.Connect("tcp://"+l.Addr().String()))
	next := func() *net.TCPConn {
		c, err := l.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		return c.(*net.TCPConn)
	}
	for _, a := range badHandshakes {
		n := w.count()
		c := next()
		_, err := c.Write(a.say)
		require.NoError(t, err)
		e, _ := w.after(t, n, msgcore.HandshakeFailed)
		require.ErrorContains(t, e.Err, a.why, a.name)
	}
	for _, a := range badTraffic {
		n := w.count()
		p := rawOver(t, next(), "ROUTER")
		p.send(t, a.say...)
		if strings.HasPrefix(a.name, "end ") {
			require.NoError(t, p.CloseWrite())
		}
		e, _ := w.after(t, n, msgcore.Disconnected)
		require.ErrorContains(t, e.Err, a.why, a.name)
	}
	sendTexts(t, s, "at last")
	p := rawOver(t, next(), "ROUTER")
	require.Equal(t, "at last", string(p.readFrame(t).Body))
	p.send(t, frame(0, []byte("welcome"))...)
	require.Equal(t, []string{"welcome"}, recvTexts(t, s))
}

// What is odd, but allowed or of a later version, is borne.
func TestHostileButHarmless(t *testing.T) {
	oddities := after(
		command("\x05READY"), command("\x07UNKNOWN"), command("\x04PONG"), command("\x04PONGunasked"),
		command("\x09SUBSCRIBE"), command("\x06CANCELnever subscribed"), command("\x06CANCEL"),
		command("\x04JOINgroup"), command("\x05LEAVE"), command("\x05HELLO"),
		command("\x04PING\xff\xffmore than sixteen bytes of context"),
		long(zmtp.FlagCommand, 5), []byte("\x04PONG"), // LONG without need
		frame(zmtp.FlagCommand, append([]byte("\x05LARGE"), make([]byte, 60<<10)...)),
	)
	onVictims(t, msgcore.Options{}, func(t *testing.T, v *victim) {
		n := v.count()
		p := rawHandshake(t, v.endpoint, v.peerType())
		for _, b := range [][]byte{oddities, after(frame(zmtp.FlagMore, []byte("a")), oddities, frame(0, []byte("b")))} {
			p.send(t, b...)
			p.send(t, zmtp.AppendPing(nil, 0, []byte("still there?"))...)
			for string(p.readCommand(t, zmtp.CommandPong)) != "still there?" {
			}
		}
		p.Close()
		v.after(t, n, msgcore.Disconnected)
		healthy(t, v.Socket, v.endpoint)
	})
}

// Commands may stand between the frames of a message, wherever they are cut.
func TestHostileCommandsWithinMessages(t *testing.T) {
	ping := zmtp.AppendPing(nil, 0, []byte("now"))
	large := bytes.Repeat([]byte("large"), 20<<10)
	say := after(
		frame(zmtp.FlagMore, []byte("one")), ping, frame(zmtp.FlagMore, nil), ping, ping, frame(0, []byte("two")), ping,
		frame(zmtp.FlagMore, large), ping, frame(zmtp.FlagMore, []byte("x")), ping, frame(0, large), ping,
		frame(0, nil),
	)
	want := [][]string{{"one", "", "two"}, {string(large), "x", string(large)}, {""}}
	for _, step := range []int{len(say), 4096, 255, 7, 1} {
		t.Run(fmt.Sprint(step, " bytes at once"), func(t *testing.T) {
			s := open(t, msgcore.Pull, nil)
			p := rawHandshake(t, bindTo(t, s, anyPort), "PUSH")
			for b := say; len(b) > 0; {
				n := min(step, len(b))
				if step < 255 && len(b) > 1000 && len(say)-len(b) > 1000 {
					n = 1000 // not all of the large ones byte by byte
				}
				p.send(t, b[:n]...)
				b = b[n:]
			}
			for _, frames := range want {
				require.Equal(t, frames, recvTexts(t, s))
			}
			for range 6 {
				require.Equal(t, "now", string(p.readCommand(t, zmtp.CommandPong)))
			}
		})
	}
}

// What a peer claims is not allocated before it has come.
func TestHostileClaims(t *testing.T) {
	var before, later runtime.MemStats
	runtime.ReadMemStats(&before)
	t.Cleanup(func() { // after all of them
		runtime.ReadMemStats(&later)
		require.Less(t, later.TotalAlloc-before.TotalAlloc, uint64(100<<20))
	})
	onVictims(t, msgcore.Options{}, func(t *testing.T, v *victim) {
		for _, say := range [][]byte{
			long(0, 1<<62), long(zmtp.FlagMore, 1<<62), long(0, 1<<40), long(0, 1<<32),
			append(long(0, 1<<62), make([]byte, 100<<10)...),
			after(frame(zmtp.FlagMore, []byte("x")), long(0, 1<<62), []byte("x")),
		} {
			n := v.count()
			p := rawHandshake(t, v.endpoint, v.peerType())
			p.send(t, say...)
			require.NoError(t, p.CloseWrite())
			e, _ := v.after(t, n, msgcore.Disconnected)
			require.ErrorContains(t, e.Err, "within a message")
		}
		healthy(t, v.Socket, v.endpoint)
	})
}

// untilRefused writes b again and again until the other end has had enough, at
// most limit bytes.
func (p *rawPeer) untilRefused(t testing.TB, b []byte, limit int) {
	t.Helper()
	chunk := bytes.Repeat(b, max(1, (16<<10)/len(b)))
	for n := 0; n < limit; n += len(chunk) {
		if _, err := p.Write(chunk); err != nil {
			return
		}
	}
	require.Fail(t, "no end", "%d bytes were taken", limit)
}

// Frames of a message without end meet MaxMessage, even those with nothing in
// them.
func TestHostileEndlessMessages(t *testing.T) {
	onVictims(t, msgcore.Options{MaxMessage: 64 << 10}, func(t *testing.T, v *victim) {
		for _, f := range [][]byte{
			frame(zmtp.FlagMore, nil), frame(zmtp.FlagMore, []byte("x")), frame(zmtp.FlagMore, make([]byte, 1000)),
			long(zmtp.FlagMore, 0), after(frame(zmtp.FlagMore, nil), command("\x04PONG")),
		} {
			n := v.count()
			p := rawHandshake(t, v.endpoint, v.peerType())
			p.untilRefused(t, f, 64<<20)
			e, _ := v.after(t, n, msgcore.Disconnected)
			require.ErrorIs(t, e.Err, msgcore.ErrMessageTooBig)
		}
		healthy(t, v.Socket, v.endpoint)
	})
}

// bears reports whether a socket of this type serves one peer while another one
// is attached that takes no part.
func (v *victim) bears() bool {
	switch v.Type() {
	case msgcore.Req, msgcore.Dealer, msgcore.Push, msgcore.Pair, msgcore.Client, msgcore.Scatter, msgcore.Channel:
		return false // they would send to it
	}
	return true
}

// Commands that come as fast as they can, and whose answers nobody reads, hold
// nobody else up.
func TestHostileFloods(t *testing.T) {
	size := sized(1<<20, 16<<20)
	for _, flood := range []struct {
		name  string
		chunk func(i int) []byte
	}{
		{"PING", func(int) []byte { return zmtp.AppendPing(nil, time.Minute, []byte("0123456789abcdef")) }},
		{"SUBSCRIBE", func(i int) []byte { return command(fmt.Sprintf("\x09SUBSCRIBE%d", i)) }},
		{"CANCEL", func(i int) []byte { return command(fmt.Sprintf("\x06CANCEL%d", i)) }},
		{"unknown", func(i int) []byte { return command(fmt.Sprintf("\x04NAME%d", i)) }},
	} {
		t.Run(flood.name, func(t *testing.T) {
			var all []byte
			for i := 0; len(all) < size; i++ {
				all = append(all, flood.chunk(i)...)
			}
			onVictims(t, msgcore.Options{}, func(t *testing.T, v *victim) {
				n := v.count()
				p := rawHandshake(t, v.endpoint, v.peerType())
				p.send(t, all...)
				if v.bears() {
					healthy(t, v.Socket, v.endpoint)
				}
				p.Close()
				v.after(t, n, msgcore.Disconnected)
				require.Eventually(t, func() bool { return !hasPeers(v.Socket) }, patience, time.Millisecond)
				healthy(t, v.Socket, v.endpoint)
			})
		})
	}
}

// Random bytes after a good handshake, some of them in the form of frames.
func TestHostileNoise(t *testing.T) {
	rounds := sized(20, 500)
	onVictims(t, msgcore.Options{MaxMessage: 1 << 20}, func(t *testing.T, v *victim) {
		r := rand.New(rand.NewPCG(2026, uint64(v.Type())))
		for range rounds {
			n := v.count()
			p := rawHandshake(t, v.endpoint, v.peerType())
			noise := noise(r)
			_, err := p.Write(noise) // it may be refused halfway
			_ = err
			_ = p.CloseWrite()
			v.after(t, n, msgcore.Disconnected)
			p.Close()
		}
		healthy(t, v.Socket, v.endpoint)
	})
}

// noise is a stream of which parts are frames.
func noise(r *rand.Rand) []byte {
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	var b []byte
	for range 1 + r.IntN(30) {
		switch r.IntN(10) {
		case 0:
			b = append(b, bytesOf(r.IntN(20))...)
		case 1:
			b = append(b, command(string(bytesOf(r.IntN(20))))...)
		case 2:
			b = append(b, command("\x09SUBSCRIBE"+string(bytesOf(r.IntN(5))))...)
		case 3:
			b = append(b, zmtp.AppendPing(nil, time.Minute, bytesOf(r.IntN(20)))...)
		case 4:
			b = append(b, frame(0, bytesOf(r.IntN(70<<10)))...)
		case 5, 6:
			b = append(b, frame(zmtp.FlagMore, bytesOf(r.IntN(20)))...)
		default:
			b = append(b, frame(0, bytesOf(r.IntN(300)))...)
		}
	}
	return b
}
