package msgcore_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// An oldPeer is a scripted peer of an older version.
type oldPeer struct {
	net.Conn
	version int  // 1 or 2
	told    bool // it tells its version and socket type; of 2 always
}

var oldVersions = []struct {
	name    string
	version int
	told    bool
}{{"2.0", 2, true}, {"1.0 with a version", 1, true}, {"1.0", 1, false}}

// oldNumbers are the types' on the wire (RFC 15).
var oldNumbers = map[msgcore.Type]byte{
	msgcore.Pair: 0, msgcore.Pub: 1, msgcore.Sub: 2, msgcore.Req: 3, msgcore.Rep: 4, msgcore.Dealer: 5,
	msgcore.Router: 6, msgcore.Pull: 7, msgcore.Push: 8, msgcore.XPub: 9, msgcore.XSub: 10,
}

// frame is in the peer's framing.
func (p *oldPeer) frame(more bool, body string) []byte {
	var flags byte
	if more {
		flags = 1
	}
	if p.version == 2 {
		return frame(flags, []byte(body))
	}
	if n := len(body) + 1; n < 255 {
		return append([]byte{byte(n), flags}, body...)
	}
	b := binary.BigEndian.AppendUint64([]byte{0xff}, uint64(len(body)+1))
	return append(append(b, flags), body...)
}

func (p *oldPeer) send(t testing.TB, frames ...string) {
	t.Helper()
	var b []byte
	for i, f := range frames {
		b = append(b, p.frame(i < len(frames)-1, f)...)
	}
	_, err := p.Write(b)
	require.NoError(t, err)
}

// want reads bytes that are to be those.
func (p *oldPeer) want(t testing.TB, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(p, got)
	require.NoError(t, err, "got %x of %x", got[:n], want)
	require.True(t, bytes.Equal(want, got), "got %.40x, want %.40x", got, want)
}

// wantMessage reads a message, framed as it has to be.
func (p *oldPeer) wantMessage(t testing.TB, frames ...string) {
	t.Helper()
	for i, f := range frames {
		p.want(t, p.frame(i < len(frames)-1, f))
	}
}

// greet shakes hands with a socket of type ours and routing id id.
func (p *oldPeer) greet(t testing.TB, typ, ours msgcore.Type, id, oursID string) {
	t.Helper()
	require.NoError(t, p.SetDeadline(time.Now().Add(patience)))
	ourSignature := signature(0x7f)
	ourSignature[8] = byte(len(oursID) + 1)
	if !p.told {
		p.send(t, id)
		p.want(t, ourSignature)
		p.want(t, []byte(oursID))
		return
	}
	// A byte at a time, each when it is due.
	_, err := p.Write(signature(0x7f))
	require.NoError(t, err)
	p.want(t, ourSignature)
	p.want(t, []byte{3})
	_, err = p.Write([]byte{byte(p.version - 1), oldNumbers[typ]})
	require.NoError(t, err)
	p.want(t, []byte{oldNumbers[ours]})
	p.wantMessage(t, oursID)
	p.send(t, id)
}

// onOldVersions runs f for peers of each version and either side bound: peer makes
// a peer of s, of type typ and routing id id.
func onOldVersions(t *testing.T, f func(t *testing.T, peer func(s *msgcore.Socket, typ msgcore.Type, id, ours string) *oldPeer)) {
	for _, v := range oldVersions {
		for _, bound := range []bool{true, false} {
			name := v.name + " connects"
			if !bound {
				name = v.name + " is bound"
			}
			t.Run(name, func(t *testing.T) {
				f(t, func(s *msgcore.Socket, typ msgcore.Type, id, ours string) *oldPeer {
					p := &oldPeer{version: v.version, told: v.told}
					if bound {
						p.Conn = dialPlain(t, bindTo(t, s, anyPort))
					} else {
						l, err := net.Listen("tcp", "127.0.0.1:0")
						require.NoError(t, err)
						defer l.Close()
						require.NoError(t, s.Connect("tcp://"+l.Addr().String()))
						p.Conn, err = l.Accept()
						require.NoError(t, err)
						t.Cleanup(func() { p.Close() })
					}
					p.greet(t, typ, s.Type(), id, ours)
					return p
				})
			})
		}
	}
}

// oldMessages are about the bounds between short and long headers of each version,
// and between what lies in a slab and what does not.
func oldMessages() [][]string {
	var all [][]string
	for _, n := range []int{0, 1, 252, 253, 254, 255, 256, 8191, 8192, 8193, 65536, 1 << 20} {
		body := string(streamPool()[:n])
		all = append(all, []string{body}, []string{"", body, "x"})
	}
	return all
}

// PAIR is both ways what DEALER, PUSH and PULL are one way.
func TestOldVersionsPair(t *testing.T) {
	onOldVersions(t, func(t *testing.T, peer func(*msgcore.Socket, msgcore.Type, string, string) *oldPeer) {
		s := open(t, msgcore.Pair, nil)
		p := peer(s, msgcore.Pair, "", "")
		sent := make(chan error, 1)
		go func() {
			var err error
			for _, m := range oldMessages() {
				var frames [][]byte
				for _, f := range m {
					frames = append(frames, []byte(f))
				}
				if err = s.Send(limited(t), frames...); err != nil {
					break
				}
			}
			sent <- err
		}()
		for _, m := range oldMessages() {
			p.wantMessage(t, m...)
		}
		require.NoError(t, <-sent)
		go func() {
			for _, m := range oldMessages() {
				p.send(t, m...)
			}
		}()
		for _, m := range oldMessages() {
			require.Equal(t, m, recvTexts(t, s))
		}
	})
}

// Routing ids are told, and a REQ's envelope is as ever.
func TestOldVersionsReqRouter(t *testing.T) {
	onOldVersions(t, func(t *testing.T, peer func(*msgcore.Socket, msgcore.Type, string, string) *oldPeer) {
		router := open(t, msgcore.Router, &msgcore.Options{RoutingID: "router"})
		p := peer(router, msgcore.Req, "old peer", "router")
		p.send(t, "", "question")
		require.Equal(t, []string{"old peer", "", "question"}, recvTexts(t, router))
		require.NoError(t, router.Send(limited(t), []byte("old peer"), nil, []byte("answer")))
		p.wantMessage(t, "", "answer")

		req := open(t, msgcore.Req, nil)
		p = peer(req, msgcore.Rep, "", "")
		require.NoError(t, req.Send(limited(t), []byte("question")))
		p.wantMessage(t, "", "question")
		p.send(t, "", "answer")
		require.Equal(t, []string{"answer"}, recvTexts(t, req))
	})
}

// Subscriptions are messages, both ways.
func TestOldVersionsSubscribe(t *testing.T) {
	onOldVersions(t, func(t *testing.T, peer func(*msgcore.Socket, msgcore.Type, string, string) *oldPeer) {
		sub := open(t, msgcore.Sub, nil)
		require.NoError(t, sub.Subscribe("AB"))
		p := peer(sub, msgcore.Pub, "", "")
		p.wantMessage(t, "\x01AB")
		p.send(t, "XY")
		p.send(t, "ABC", "body")
		require.Equal(t, []string{"ABC", "body"}, recvTexts(t, sub))
		require.NoError(t, sub.Unsubscribe("AB"))
		p.wantMessage(t, "\x00AB")

		pub := open(t, msgcore.XPub, nil)
		p = peer(pub, msgcore.Sub, "", "")
		if p.told {
			p.send(t, "\x01topic")
			require.Equal(t, []string{"\x01topic"}, recvTexts(t, pub))
			sendTexts(t, pub, "other")
		} else { // it filters by itself, so that all is for it
			require.Equal(t, []string{"\x01"}, recvTexts(t, pub))
			sendTexts(t, pub, "other")
			p.wantMessage(t, "other")
		}
		sendTexts(t, pub, "topic and more")
		p.wantMessage(t, "topic and more")
		p.Close()
		if p.told {
			require.Equal(t, []string{"\x00topic"}, recvTexts(t, pub))
		} else {
			require.Equal(t, []string{"\x00"}, recvTexts(t, pub))
		}
	})
}

// A peer that may not be of this type is refused, if it tells its type.
func TestOldVersionsTypes(t *testing.T) {
	for _, v := range oldVersions {
		o, w := watched(msgcore.Options{})
		s := open(t, msgcore.Pull, o)
		p := &oldPeer{Conn: dialPlain(t, bindTo(t, s, anyPort)), version: v.version, told: v.told}
		p.greet(t, msgcore.Sub, msgcore.Pull, "", "")
		if v.told {
			e, _ := w.after(t, 0, msgcore.HandshakeFailed)
			require.ErrorContains(t, e.Err, `a PULL does not talk to a socket of type "SUB"`)
			continue
		}
		p.send(t, "whatever it is")
		require.Equal(t, []string{"whatever it is"}, recvTexts(t, s))
	}
}

// A command of a peer that should know none ends the connection.
func TestOldVersionsCommands(t *testing.T) {
	o, w := watched(msgcore.Options{})
	s := open(t, msgcore.Pull, o)
	p := &oldPeer{Conn: dialPlain(t, bindTo(t, s, anyPort)), version: 2, told: true}
	p.greet(t, msgcore.Push, msgcore.Pull, "", "")
	_, err := p.Write(command("\x04PING\x00\x00"))
	require.NoError(t, err)
	require.ErrorContains(t, w.times(t, 1, msgcore.Disconnected).Err, "before ZMTP 3.0")
}

// A frame of 1.0 that claims 1 TB is refused, or costs nothing until it comes.
func TestOldVersionsHugeFrame(t *testing.T) {
	for _, v := range oldVersions {
		o, w := watched(msgcore.Options{MaxMessage: 1 << 20})
		s := open(t, msgcore.Pull, o)
		p := &oldPeer{Conn: dialPlain(t, bindTo(t, s, anyPort)), version: v.version, told: v.told}
		p.greet(t, msgcore.Push, msgcore.Pull, "", "")
		huge := long(0, 1<<40)
		if v.version == 1 {
			huge = append(binary.BigEndian.AppendUint64([]byte{0xff}, 1<<40+1), 0)
		}
		_, err := p.Write(huge)
		require.NoError(t, err)
		require.ErrorIs(t, w.times(t, 1, msgcore.Disconnected).Err, msgcore.ErrMessageTooBig)
	}
}

// A message of which a lost connection took only a part is sent again, whole.
func TestOldVersionsCut(t *testing.T) {
	for _, v := range oldVersions {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		s := open(t, msgcore.Push, &msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond}, Transport: smallBuffers})
		require.NoError(t, s.Connect("tcp://"+l.Addr().String()))
		body := strings.Repeat(string(streamPool()), sized(1, 4))
		cut := len(body) / 4
		require.NoError(t, s.Send(limited(t), []byte("first"), []byte(body)))
		next := func() *oldPeer {
			c, err := l.Accept()
			require.NoError(t, err)
			t.Cleanup(func() { c.Close() })
			p := &oldPeer{Conn: c, version: v.version, told: v.told}
			p.greet(t, msgcore.Pull, msgcore.Push, "", "")
			return p
		}
		p := next()
		p.want(t, append(p.frame(true, "first"), p.frame(false, body)[:cut]...))
		p.Close()
		next().wantMessage(t, "first", body)
	}
}

// Options that contradict each other are refused.
func TestOldVersionsOptions(t *testing.T) {
	o := msgcore.Options{MinVersion: zmtp.Version{Major: 2}, Mechanism: zmtp.PlainClient("a", "b")}
	require.ErrorContains(t, o.Validate(msgcore.Pull), "MinVersion is 2.0")
	o = msgcore.Options{MinVersion: zmtp.Version{Major: 3, Minor: 2}}
	require.ErrorContains(t, o.Validate(msgcore.Pull), "the latest is 3.1")
	o = msgcore.Options{MinVersion: zmtp.Version{Major: 1}, Mechanism: zmtp.Null()}
	require.NoError(t, o.Validate(msgcore.Pull))
}
