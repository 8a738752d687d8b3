package zmtp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

var (
	v10 = zmtp.Version{Major: 1, Minor: 0}
	v20 = zmtp.Version{Major: 2, Minor: 0}
)

// anyVersion is a configuration that speaks to peers of every version.
func anyVersion(socketType, id string) *zmtp.Config {
	return &zmtp.Config{MinVersion: v10, Properties: zmtp.Properties{zmtp.SocketType: socketType, zmtp.Identity: id}}
}

// oldPeers are what a peer of each older version sends, and what it has to be sent.
var oldPeers = []struct {
	name    string
	version zmtp.Version
	typ     string // that the peer tells
	id      string
	peer    []byte // its handshake
	ours    []byte // that of a SUB without a routing id
	named   []byte // that of a DEALER called "myid"
}{
	{
		"2.0", v20, "XPUB", "",
		unhex("ff 0000000000000001 7f 01 09 | 00 00"),
		unhex("ff 0000000000000001 7f 03 02 | 00 00"), // as libzmq 4.3.4 sends it
		unhex("ff 0000000000000005 7f 03 05 | 00 04 'myid'"),
	},
	{
		"2.0 with an id", v20, "XPUB", "peer",
		unhex("ff 0000000000000005 7f 01 09 | 02 0000000000000004 'peer'"),
		unhex("ff 0000000000000001 7f 03 02 | 00 00"),
		unhex("ff 0000000000000005 7f 03 05 | 00 04 'myid'"),
	},
	{
		"1.0 that tells its version", v10, "PUB", "peer",
		unhex("ff 0000000000000005 7f 00 01 | 05 00 'peer'"),
		unhex("ff 0000000000000001 7f 03 02 | 01 00"),
		unhex("ff 0000000000000005 7f 03 05 | 05 00 'myid'"),
	},
	{
		"1.0", v10, "", "",
		unhex("01 00"),
		unhex("ff 0000000000000001 7f"),
		unhex("ff 0000000000000005 7f 'myid'"),
	},
	{
		"1.0 with an id", v10, "", "peer",
		unhex("05 00 'peer'"),
		unhex("ff 0000000000000001 7f"),
		unhex("ff 0000000000000005 7f 'myid'"),
	},
	{
		"1.0 with a long header", v10, "", "peer",
		unhex("ff 0000000000000005 00 'peer'"),
		unhex("ff 0000000000000001 7f"),
		unhex("ff 0000000000000005 7f 'myid'"),
	},
}

func TestOldHandshakes(t *testing.T) {
	for _, p := range oldPeers {
		t.Run(p.name, func(t *testing.T) {
			for _, step := range []int{1, 7, 1 << 20} {
				in := bytes.NewReader(append(bytes.Clone(p.peer), "traffic"...))
				s := &script{in: pieces{in, step}}
				var greeted zmtp.Version
				cfg := anyVersion("SUB", "")
				cfg.Greeted = func(v zmtp.Version) { greeted = v }
				cfg.Check = func(peer zmtp.Properties) error {
					require.Equal(t, p.version, greeted)
					require.Equal(t, p.typ, peer.Get(zmtp.SocketType))
					return nil
				}
				c, err := zmtp.Handshake(context.Background(), s, cfg)
				require.NoError(t, err)
				require.Equal(t, p.version, c.Version())
				require.Equal(t, p.typ, c.Peer().Get(zmtp.SocketType))
				require.Equal(t, p.id, c.Peer().Get(zmtp.Identity))
				require.Nil(t, c.Session())
				require.Equal(t, p.ours, s.written())
				rest, err := io.ReadAll(s.in)
				require.NoError(t, err)
				require.Equal(t, "traffic", string(rest), "nothing beyond the handshake is read")
			}
			s := newScript(p.peer)
			_, err := zmtp.Handshake(context.Background(), s, anyVersion("DEALER", "myid"))
			require.NoError(t, err)
			require.Equal(t, p.named, s.written())

			for cut := range p.peer {
				_, err := zmtp.Handshake(context.Background(), newScript(p.peer[:cut]), anyVersion("SUB", ""))
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%d bytes", cut)
			}
		})
	}
}

// Two that speak every version speak the latest.
func TestOldestAllowedOnBothSides(t *testing.T) {
	a, b := pair(t, anyVersion("DEALER", "me"), anyVersion("ROUTER", ""))
	require.Equal(t, v31, a.Version())
	require.Equal(t, v31, b.Version())
	require.Equal(t, "me", b.Peer().Get(zmtp.Identity))
	a, b = pair(t, anyVersion("DEALER", ""), &zmtp.Config{Properties: props("ROUTER")})
	require.Equal(t, v31, a.Version())
	require.Equal(t, v31, b.Version())
}

// What is sent and read on a connection of each version, to the byte.
func TestOldTraffic(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		peer []byte
		wire string
	}{
		{oldPeers[0].peer, "01 01 'a' | 00 fd '" + long[:253] + "' | 00 fe '" + long[:254] + "' | 02 000000000000012c '" + long + "'"},
		{oldPeers[3].peer, "02 01 'a' | fe 00 '" + long[:253] + "' | ff 00000000000000ff 00 '" + long[:254] + "' | ff 000000000000012d 00 '" + long + "'"},
	} {
		wire := unhex(c.wire)
		s := &script{in: pieces{bytes.NewReader(append(bytes.Clone(c.peer), wire...)), 5}}
		z, err := zmtp.Handshake(context.Background(), s, anyVersion("PULL", ""))
		require.NoError(t, err)
		s.mu.Lock()
		s.out.Reset()
		s.mu.Unlock()
		want := [][][]byte{{[]byte("a"), []byte(long[:253])}, {[]byte(long[:254])}, {[]byte(long)}}
		for _, m := range want {
			got, err := z.ReadMessage()
			require.NoError(t, err)
			require.Equal(t, m, got)
			require.NoError(t, z.WriteMessage(m...))
		}
		_, err = z.ReadMessage()
		require.Equal(t, io.EOF, err)
		require.Equal(t, wire, s.written())
		require.ErrorIs(t, z.WriteCommand("PING", []byte{0, 0}), errors.ErrUnsupported)
		require.NoError(t, z.Close())
	}
}

func TestOldCommandsAreRefused(t *testing.T) {
	s := newScript(oldPeers[0].peer, zmtp.AppendPing(nil, 0, nil))
	z, err := zmtp.Handshake(context.Background(), s, anyVersion("PULL", ""))
	require.NoError(t, err)
	_, err = z.ReadMessage()
	requireRule(t, err, "before ZMTP 3.0")
}

// Those that may not speak an old version refuse it, in words that name it.
func TestOldPeersRefused(t *testing.T) {
	admit := func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error) { return nil, nil }
	for name, c := range map[string]*zmtp.Config{
		"default":       {Properties: props("PULL")},
		"3.0":           {Properties: props("PULL"), MinVersion: v30},
		"Authorize":     {Properties: props("PULL"), MinVersion: v10, Authorize: admit},
		"new type":      {Properties: props("SERVER"), MinVersion: v10},
		"PLAIN":         {Properties: props("PULL"), MinVersion: v10, Mechanism: zmtp.PlainClient("a", "b")},
		"no properties": {MinVersion: v10},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range oldPeers {
				_, err := zmtp.Handshake(context.Background(), newScript(p.peer), c)
				requireRule(t, err, "ZMTP "+p.version.String())
			}
		})
	}
	for _, p := range oldPeers {
		cfg := anyVersion("SUB", "")
		cfg.MinVersion = v20
		_, err := zmtp.Handshake(context.Background(), newScript(p.peer), cfg)
		if p.version == v20 {
			require.NoError(t, err)
		} else {
			requireRule(t, err, "ZMTP 1.0", "MinVersion is 2.0")
		}
	}
}

func TestOldHandshakesThatBreakTheRules(t *testing.T) {
	id256 := strings.Repeat("x", 256)
	for _, c := range []struct{ name, in, why string }{
		{"HTTP", "'GET / HTTP/1.1'0d0a0d0a", "starts with 0x47"},
		{"zeros", "0000000000000000000000", "starts with 0x00"},
		{"a long frame with flags", "ff 0000000000000005 02 'peer'", "no ZMTP"},
		{"a long frame of nothing", "ff 0000000000000000 00", "flags byte"},
		{"another signature", "ff 0000000000000001 7d 01 05", "signature"},
		{"socket type 11", "ff 0000000000000001 7f 01 0b 0000", "socket type 11"},
		{"a long id, 1.0", "ff 0000000000000101 00 '" + id256 + "'", "256 bytes"},
		{"a long id, 2.0", "ff 0000000000000001 7f 01 05 02 0000000000000100 '" + id256 + "'", "256 bytes"},
		{"an id of 2^62 bytes", "ff 4000000000000000 00", "the limit is 255"},
		{"an id of two frames", "ff 0000000000000001 7f 01 05 01 00 00 00", "one frame"},
		{"a command", "ff 0000000000000001 7f 01 05 04 00", "one frame"},
		{"an empty frame of nothing", "ff 0000000000000001 7f 00 05 00", "flags byte"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := zmtp.Handshake(context.Background(), newScript(unhex(c.in)), anyVersion("DEALER", ""))
			requireRule(t, err, c.why)
		})
	}
}

// A peer that is refused is told nothing: it would take the ERROR for a message.
func TestOldPeerCheckFails(t *testing.T) {
	refusal := errors.New("no")
	cfg := anyVersion("SUB", "")
	cfg.Check = func(zmtp.Properties) error { return refusal }
	for _, p := range oldPeers {
		s := newScript(p.peer)
		_, err := zmtp.Handshake(context.Background(), s, cfg)
		require.ErrorIs(t, err, refusal)
		require.Equal(t, p.ours, s.written())
	}
}

func TestVersionLess(t *testing.T) {
	all := []zmtp.Version{{}, v10, v20, v30, v31}
	for i, v := range all {
		for j, w := range all {
			require.Equal(t, i < j, v.Less(w))
		}
	}
}

func FuzzHeader1(f *testing.F) {
	f.Add(unhex("01 00"))
	f.Add(unhex("fe 01"))
	f.Add(unhex("ff 0000000000000001 00"))
	f.Add(unhex("ff 00000000000000ff 01"))
	f.Add(unhex("ff 8000000000000000 01"))
	f.Add(unhex("ff ffffffffffffffff 01"))
	f.Add(unhex("00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		more, n, size, err := zmtp.ParseHeader1(b)
		if err != nil {
			requireRule(t, err)
			return
		}
		if size == 0 {
			require.Less(t, len(b), zmtp.MaxHeader1)
			return
		}
		require.LessOrEqual(t, size, len(b))
		require.Equal(t, b[size-1]&1 != 0, more)
		if n > 1<<30 || size == zmtp.MaxHeader1 && n < 254 || b[size-1] > 1 {
			return // an int may not hold it; a form that we do not send
		}
		require.Equal(t, b[:size], zmtp.AppendHeader1(nil, more, int(n)))
	})
}

// FuzzReader1 reads a stream of ZMTP 1.0 in pieces of any size, and as its parser
// alone would.
func FuzzReader1(f *testing.F) {
	f.Add(unhex("01 00 | 02 01 'a' | 03 00 'bc'"), byte(3), byte(2))
	f.Add(append(unhex("ff 000000000000012d 00"), strings.Repeat("x", 300)...), byte(0), byte(200))
	f.Add(unhex("ff 4000000000000000 00 'cut'"), byte(1), byte(9))
	f.Add(unhex("02 00 'x' 00"), byte(1), byte(1))
	f.Fuzz(func(t *testing.T, in []byte, step, room byte) {
		var want []byte
		var wantErr error
		for rest := in; ; {
			more, n, size, err := zmtp.ParseHeader1(rest)
			if wantErr = err; err != nil {
				break
			}
			if size == 0 {
				if wantErr = io.EOF; len(rest) > 0 {
					wantErr = io.ErrUnexpectedEOF
				}
				break
			}
			var flags byte
			if more {
				flags = zmtp.FlagMore
			}
			if n > 255 {
				want = append(want, flags|zmtp.FlagLong, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
			} else {
				want = append(want, flags, byte(n))
			}
			rest = rest[size:]
			if n > uint64(len(rest)) {
				want, wantErr = append(want, rest...), io.EOF
				break
			}
			want, rest = append(want, rest[:n]...), rest[n:]
		}
		r := zmtp.NewReader1(pieces{bytes.NewReader(in), int(step) + 1})
		var got []byte
		var err error
		p := make([]byte, int(room)+1)
		for used := 0; err == nil; used++ {
			require.LessOrEqual(t, used, len(want)+2, "reads that give nothing")
			var n int
			n, err = r.Read(p)
			got = append(got, p[:n]...)
		}
		require.True(t, bytes.Equal(want, got), "%x for %x", got, want)
		require.Equal(t, wantErr, err)
	})
}

// FuzzOldHandshake lets arbitrary bytes be a peer of any version: all of it, or
// what follows a good beginning of each.
func FuzzOldHandshake(f *testing.F) {
	starts := [][]byte{nil, unhex("ff 0000000000000001 7f 01"), unhex("ff 0000000000000001 7f 00"), unhex("01 00")}
	for _, p := range oldPeers {
		f.Add(append(bytes.Clone(p.peer), unhex("02 00 'x'")...), byte(0))
	}
	f.Add(unhex("05 00 00 | 00 05 'hello'"), byte(1))
	f.Add(unhex("05 01 00 | 06 00 'hello'"), byte(2))
	f.Add(unhex("06 00 'hello'"), byte(3))
	f.Add(append(greeting(v31), ready(props("ROUTER"))...), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, start byte) {
		in := append(bytes.Clone(starts[int(start)%len(starts)]), b...)
		used := allocated(func() {
			c, err := zmtp.Handshake(context.Background(), newScript(in), anyVersion("DEALER", "me"))
			if err != nil {
				require.True(t, strings.HasPrefix(err.Error(), "zmtp: "), err)
				return
			}
			defer c.Close()
			for range len(in) + 1 {
				if _, err := c.ReadMessage(); err != nil {
					return
				}
			}
			t.Error("more messages than bytes")
		})
		require.Less(t, used, uint64(1<<20+512*len(in)))
	})
}
