package zmtp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// A tape is a connection that notes in which pieces it is read and written, and
// in which order: "<" is a read.
type tape struct {
	in  io.Reader
	mu  sync.Mutex // guards log
	log []string
}

func (s *tape) Read(b []byte) (int, error) {
	s.mu.Lock()
	s.log = append(s.log, "<")
	s.mu.Unlock()
	return s.in.Read(b)
}

func (s *tape) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, string(b))
	return len(b), nil
}

// wrote is the log without the reads.
func (s *tape) wrote() (pieces []string) {
	for _, l := range s.log {
		if l != "<" {
			pieces = append(pieces, l)
		}
	}
	return pieces
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// traffic is a message and one that no buffer of a handshake holds.
var (
	trafficFrames = [][]byte{[]byte("first"), bytes.Repeat([]byte("long "), 2<<10)}
	traffic       = join(unhex("00 05 'first'  02 0000000000002800"), trafficFrames[1])
)

// Nothing of what comes behind the handshake is lost, in whatever pieces it comes and
// whoever reads it.
func TestReadAheadLosesNothing(t *testing.T) {
	type peer struct {
		name string
		cfg  *zmtp.Config
		says []byte
	}
	peers := []peer{
		{"3.1", &zmtp.Config{Properties: props("PULL")}, join(greeting(v31), ready(props("PUSH")))},
		{"3.0, careful", anyVersion("PULL", ""), join(greeting(v30), ready(props("PUSH")))},
		{"accepting", &zmtp.Config{Accepting: true}, join(greeting(v31), ready(zmtp.Properties{"X-Long": string(make([]byte, 700))}))},
	}
	for _, p := range oldPeers {
		if p.version == v20 {
			peers = append(peers, peer{p.name, anyVersion("PULL", ""), p.peer})
		}
	}
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			cfg := *p.cfg
			all := join(p.says, traffic)
			for _, begun := range []int{0, 1, 10, 64, len(p.says) - 1, len(p.says), len(p.says) + 1, len(p.says) + 4, len(all)} {
				if begun > len(all) {
					continue
				}
				for _, step := range []int{1, 7, 1 << 20} {
					for _, ahead := range []bool{true, false} {
						cfg.ReadAhead, cfg.Begun = ahead, bytes.Clone(all[:begun])
						s := &tape{in: pieces{bytes.NewReader(all[begun:]), step}}
						z, err := zmtp.Handshake(context.Background(), s, &cfg)
						require.NoError(t, err)
						clear(cfg.Begun) // it is not kept
						for _, want := range trafficFrames {
							got, err := z.ReadMessage()
							require.NoError(t, err)
							require.True(t, bytes.Equal(want, got[0]))
						}
						require.Nil(t, z.Leftover())

						cfg.Begun = all[:begun]
						in := bytes.NewReader(all[begun:])
						z, err = zmtp.Handshake(context.Background(), &tape{in: pieces{in, step}}, &cfg)
						require.NoError(t, err)
						left := bytes.Clone(z.Leftover())
						require.Nil(t, z.Leftover())
						rest, err := io.ReadAll(in)
						require.NoError(t, err)
						require.True(t, bytes.Equal(traffic, append(left, rest...)))
						if begun <= len(p.says) && !ahead {
							require.Empty(t, left)
						}
					}
				}
			}
		})
	}
}

// The framing of ZMTP 1.0 behind what was read ahead.
func TestReadAheadOfOldTraffic(t *testing.T) {
	for _, p := range oldPeers {
		if p.version != v10 {
			continue
		}
		s := newScript(p.peer, unhex("06 00 'first'"), unhex("ff 0000000000002801 00"), trafficFrames[1])
		cfg := anyVersion("PULL", "")
		cfg.ReadAhead = true
		z, err := zmtp.Handshake(context.Background(), s, cfg)
		require.NoError(t, err)
		require.Equal(t, p.ours[:10], s.written()[:10])
		for _, want := range trafficFrames {
			got, err := z.ReadMessage()
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got[0]))
		}
	}
}

// What comes at once is read at once.
func TestReadAheadReadsOnce(t *testing.T) {
	s := &tape{in: bytes.NewReader(join(greeting(v31), ready(props("ROUTER")), unhex("00 05 'first'")))}
	cfg := early()
	cfg.ReadAhead = true
	z, err := zmtp.Handshake(context.Background(), s, cfg)
	require.NoError(t, err)
	m, err := z.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "first", string(m[0]))
	require.Len(t, s.log, 2, "one write and one read: %q", s.log)
}

// A peer that has said all it has to say is answered in one piece, and nothing is
// read; one that may be waiting for us hears of us first.
func TestBegun(t *testing.T) {
	g, r := string(greeting(v31)), string(ready(props("ROUTER")))
	theirs := join(greeting(v31), ready(props("DEALER")))
	signature := g[:10]
	for _, c := range []struct {
		name  string
		begun []byte
		old   bool // peers of any version are spoken to
		log   []string
	}{
		{"all", theirs, false, []string{g + r}},
		{"all and more", join(theirs, unhex("00 01 'x'")), false, []string{g + r}},
		{"all, careful", theirs, true, []string{g + r}},
		{"part of READY", theirs[:70], false, []string{g, "<", r}},
		{"greeting", theirs[:64], false, []string{g, "<", r}},
		{"greeting, careful", theirs[:64], true, []string{g, "<", r}},
		{"part of the greeting", theirs[:63], false, []string{g, "<", r}},
		{"signature", theirs[:10], false, []string{g, "<", r}},
		{"signature, careful", theirs[:10], true, []string{signature, g[10:11], "<", g[11:], r}},
		{"nothing", nil, false, []string{g, "<", r}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := &zmtp.Config{Accepting: true, ReadAhead: true, Properties: props("ROUTER"), Begun: c.begun}
			if c.old {
				cfg.MinVersion = v10
			}
			s := &tape{in: bytes.NewReader(theirs[min(len(c.begun), len(theirs)):])}
			z, err := zmtp.Handshake(context.Background(), syncTape{s}, cfg)
			require.NoError(t, err)
			require.Equal(t, props("DEALER"), z.Peer())
			require.Equal(t, c.log, s.log)
		})
	}
}

// A syncTape has a buffer, as sockets of the system have: short writes are done
// before anything else.
type syncTape struct{ *tape }

func (syncTape) SyscallConn() (syscall.RawConn, error) { return nil, errors.ErrUnsupported }

// What this side has to say of a failure goes out, too.
func TestBegunFails(t *testing.T) {
	g := string(greeting(v31))
	theirs := join(greeting(v31), ready(props("DEALER")))
	plain := zmtp.AppendGreeting(nil, zmtp.Greeting{Version: v31, Mechanism: "PLAIN"})
	no := errors.New("no room")
	for _, c := range []struct {
		name  string
		begun []byte
		cfg   zmtp.Config
		why   string
		wrote []string
	}{
		{"refused", theirs, zmtp.Config{Check: func(zmtp.Properties) error { return no }}, "no room", []string{g + string(zmtp.AppendError(nil, "no room"))}},
		{"mechanism", plain, zmtp.Config{}, `"PLAIN"`, []string{g}},
		{"nonsense", []byte("GET / HTTP/1.1\r\n\r\n"), zmtp.Config{}, "no ZMTP", []string{g}},
		{"a message", join(greeting(v31), unhex("00 01 'x'")), zmtp.Config{}, "message in the handshake", []string{g}},
		{"too long", theirs, zmtp.Config{MaxBytes: 70}, "limit of 70", []string{g}},
		{"an end", greeting(v31), zmtp.Config{}, "closed the connection", []string{g}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Accepting, c.cfg.ReadAhead, c.cfg.Begun = true, true, c.begun
			s := &tape{in: bytes.NewReader(nil)}
			_, err := zmtp.Handshake(context.Background(), s, &c.cfg)
			require.ErrorContains(t, err, c.why)
			require.Equal(t, c.wrote, s.wrote())
		})
	}
}

// Whoever judges the peer may take his time: the peer has heard of us by then.
func TestBegunGreetsBeforeAuthorize(t *testing.T) {
	s := &tape{in: bytes.NewReader(nil)}
	cfg := &zmtp.Config{Accepting: true, Begun: join(greeting(v31), ready(nil))}
	cfg.Authorize = func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error) {
		require.Equal(t, []string{string(greeting(v31))}, s.log)
		return nil, nil
	}
	_, err := zmtp.Handshake(context.Background(), syncTape{s}, cfg)
	require.NoError(t, err)
	require.Equal(t, []string{string(greeting(v31)), string(ready(nil))}, s.log)
}

// A mechanism with roles answers its first command with the greeting, too.
func TestBegunOfPlain(t *testing.T) {
	g := func(server bool) []byte {
		return zmtp.AppendGreeting(nil, zmtp.Greeting{Version: v31, Mechanism: "PLAIN", Server: server})
	}
	hello := zmtp.AppendCommand(nil, zmtp.CommandHello, unhex("03'bob' 06'secret'"))
	initiate := zmtp.AppendCommand(nil, zmtp.CommandInitiate, zmtp.AppendProperties(nil, props("DEALER")))
	cfg := &zmtp.Config{
		Mechanism: zmtp.PlainServer(), Accepting: true, ReadAhead: true, Properties: props("ROUTER"),
		Begun: join(g(false), hello),
		Authorize: func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error) {
			return zmtp.Properties{zmtp.UserID: "bob"}, nil
		},
	}
	s := &tape{in: bytes.NewReader(join(initiate, unhex("00 05 'first'")))}
	z, err := zmtp.Handshake(context.Background(), syncTape{s}, cfg)
	require.NoError(t, err)
	require.Equal(t, []string{string(g(true)), string(zmtp.AppendCommand(nil, zmtp.CommandWelcome, nil)), "<", string(ready(props("ROUTER")))}, s.log)
	m, err := z.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "first", string(m[0]))
}

// Both sides of a pipe without a buffer, of which one has begun to read: nobody waits
// for ever, whatever was read.
func TestBegunOverAPipe(t *testing.T) {
	for n := range 65 {
		ca, cb := net.Pipe()
		done := make(chan result, 1)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		go func() {
			c, err := zmtp.Handshake(ctx, ca, &zmtp.Config{Properties: props("DEALER")})
			done <- result{c, err}
		}()
		begun := make([]byte, n)
		_, err := io.ReadFull(cb, begun)
		require.NoError(t, err)
		z, err := zmtp.Handshake(ctx, cb, &zmtp.Config{Accepting: true, ReadAhead: true, Begun: begun, Properties: props("ROUTER")})
		require.NoError(t, err)
		require.Equal(t, props("DEALER"), z.Peer())
		require.NoError(t, (<-done).err)
		cancel()
		ca.Close()
		cb.Close()
	}
}
