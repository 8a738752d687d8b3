package zmtp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

func TestHandshakeOfTwoConns(t *testing.T) {
	a, b := pair(t,
		&zmtp.Config{Properties: zmtp.Properties{zmtp.SocketType: "DEALER", zmtp.Identity: "me", "X-App": "1"}},
		&zmtp.Config{Properties: props("ROUTER")})
	require.Equal(t, props("ROUTER"), a.Peer())
	require.Equal(t, zmtp.Properties{zmtp.SocketType: "DEALER", zmtp.Identity: "me", "X-App": "1"}, b.Peer())
	for _, c := range []*zmtp.Conn{a, b} {
		require.Equal(t, v31, c.Version())
		require.Nil(t, c.Session())
	}
}

func TestHandshakeWithoutConfig(t *testing.T) {
	a, b := pair(t, nil, nil)
	require.Empty(t, a.Peer())
	require.Empty(t, b.Peer())
}

func TestHandshakeSendsGreetingAndReadyOnly(t *testing.T) {
	s := newScript(greeting(v30), ready(props("SUB")))
	c, err := zmtp.Handshake(context.Background(), s, &zmtp.Config{Properties: props("PUB")})
	require.NoError(t, err)
	require.Equal(t, v30, c.Version())
	require.Equal(t, append(greeting(v31), ready(props("PUB"))...), s.written())
}

// Whoever takes the connection over afterwards must find the first byte of traffic.
func TestHandshakeReadsNothingBeyondReady(t *testing.T) {
	for _, long := range []string{"", strings.Repeat("x", 300)} {
		p := zmtp.Properties{zmtp.SocketType: "DEALER", "X-Long": long}
		for _, step := range []int{1, 7, 1 << 20} {
			in := bytes.NewReader(bytes.Join([][]byte{greeting(v31), ready(p), []byte("traffic")}, nil))
			s := &script{in: pieces{in, step}}
			c, err := zmtp.Handshake(context.Background(), s, nil)
			require.NoError(t, err)
			require.Equal(t, p, c.Peer())
			rest, err := io.ReadAll(s.in)
			require.NoError(t, err)
			require.Equal(t, "traffic", string(rest))
		}
	}
}

// pieces reads at most n bytes at a time.
type pieces struct {
	r io.Reader
	n int
}

func (p pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }

func TestHandshakeTruncatedAtEveryByte(t *testing.T) {
	all := append(greeting(v31), ready(props("DEALER"))...)
	for cut := range all {
		_, err := zmtp.Handshake(context.Background(), newScript(all[:cut]), nil)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%d bytes", cut)
		stage := "greeting"
		if cut >= zmtp.GreetingSize {
			stage = "NULL handshake"
		}
		require.ErrorContains(t, err, "zmtp: the peer closed the connection during the "+stage, "%d bytes", cut)
	}
	_, err := zmtp.Handshake(context.Background(), newScript(all), nil)
	require.NoError(t, err)
}

func TestHandshakeRefusesWhatBreaksTheProtocol(t *testing.T) {
	hello := greeting(v31)
	curve := zmtp.AppendGreeting(nil, zmtp.Greeting{Version: v31, Mechanism: "CURVE"})
	null2 := bytes.Clone(hello)
	null2[12+6] = 'X'
	for _, c := range []struct {
		name  string
		in    []byte
		words []string
	}{
		{"1.0 peer that then waits", unhex("01 00"), []string{"ZMTP 1.0"}},
		{"2.0 peer", unhex("ff 0000000000000001 7f 01 05 0000"), []string{"ZMTP 2.0"}},
		{"no ZMTP", []byte("GET / HTTP/1.1\r\n\r\n"), []string{"no ZMTP"}},
		{"wrong signature", append(unhex("ff 0000000000000001 7d"), hello[10:]...), []string{"signature"}},
		{"other mechanism", curve, []string{`"CURVE"`, `"NULL"`}},
		{"mechanism with a tail", null2, []string{`"NULL"`}},
		{"message", append(hello, unhex("00 01 'x'")...), []string{"message in the handshake"}},
		{"PING", append(hello, zmtp.AppendPing(nil, 0, nil)...), []string{`"PING"`, "READY only"}},
		{"SUBSCRIBE", append(hello, zmtp.AppendSubscribe(nil, nil, v31)...), []string{`"SUBSCRIBE"`}},
		{"unknown command", append(hello, zmtp.AppendCommand(nil, "NONSENSE", nil)...), []string{`"NONSENSE"`}},
		{"reserved flags", append(hello, 0x0c, 0), []string{"reserved"}},
		{"command with MORE", append(hello, 0x05, 0), []string{"MORE"}},
		{"length 2^62", append(hello, unhex("06 4000000000000000")...), []string{"of 4611686018427387904 bytes", "limit is 65536"}},
		{"length 2^63", append(hello, unhex("06 8000000000000000")...), []string{"63 bits"}},
		{"length of 64 KiB and one", append(hello, unhex("06 0000000000010001")...), []string{"65537"}},
		{"empty command", append(hello, 4, 0), []string{"without a name"}},
		{"READY cut short", append(hello, unhex("04 0a 05'READY' 0b'Soc'")...), []string{"property"}},
		{"ERROR cut short", append(hello, unhex("04 07 05'ERROR' 05")...), []string{"ERROR"}},
		{"Socket-Type twice", append(hello, zmtp.AppendCommand(nil, "READY",
			unhex("0b'Socket-Type'00000003'REQ' 0b'socket-type'00000003'REP'"))...), []string{"twice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Each byte is there and no other comes: nothing may be waited for.
			for _, step := range []int{1, 1 << 20} {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				a, b := net.Pipe()
				go func() {
					go io.Copy(io.Discard, b)
					io.Copy(b, pieces{bytes.NewReader(c.in), step})
				}()
				_, err := zmtp.Handshake(ctx, a, nil)
				a.Close()
				b.Close()
				cancel()
				requireRule(t, err, c.words...)
			}
		})
	}
}

func TestHandshakeErrorIsRejected(t *testing.T) {
	s := newScript(greeting(v31), zmtp.AppendError(nil, "400"))
	_, err := zmtp.Handshake(context.Background(), s, nil)
	var rejected *zmtp.RejectedError
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, "400", rejected.Reason)
	require.EqualError(t, err, `zmtp: the peer rejected this side, giving the reason "400"`)
}

func TestHandshakeAuthorize(t *testing.T) {
	var asked *zmtp.AuthRequest
	ca, cb := net.Pipe()
	defer ca.Close()
	defer cb.Close()
	ra, rb := handshakesOver(t, ca, cb,
		&zmtp.Config{
			Authorize: func(ctx context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
				_, bounded := ctx.Deadline()
				require.True(t, bounded, "the handshake's own context")
				asked = r
				return zmtp.Properties{zmtp.UserID: "bob", "X-Group": "staff"}, nil
			},
			Check: func(peer zmtp.Properties) error {
				require.Equal(t, "bob", peer.Get(zmtp.UserID))
				return nil
			},
		},
		&zmtp.Config{Properties: zmtp.Properties{
			zmtp.SocketType: "REQ", "user-ID": "root", "X-GROUP": "wheel", zmtp.PeerAddress: "10.0.0.1",
		}})
	require.NoError(t, ra.err)
	require.NoError(t, rb.err)
	require.Equal(t, &zmtp.AuthRequest{Address: "pipe", Mechanism: "NULL"}, asked)
	require.Equal(t, zmtp.Properties{zmtp.SocketType: "REQ", zmtp.UserID: "bob", "X-Group": "staff"}, ra.conn.Peer(),
		"a peer cannot say who it is by itself")
}

func TestHandshakePeerCannotNameItself(t *testing.T) {
	s := newScript(greeting(v31), ready(zmtp.Properties{zmtp.SocketType: "REQ", "USER-ID": "root", "peer-address": "x"}))
	c, err := zmtp.Handshake(context.Background(), s, nil)
	require.NoError(t, err)
	require.Equal(t, props("REQ"), c.Peer())
}

func TestHandshakeNotAuthorized(t *testing.T) {
	secret := errors.New("password of bob is wrong")
	for _, c := range []struct {
		err    error
		reason string
	}{
		{secret, "400"},
		{&zmtp.RejectedError{Reason: "500"}, "500"},
		{&zmtp.RejectedError{Reason: "300"}, ""}, // so that it tries again
	} {
		deny := func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error) { return nil, c.err }
		ra, rb, _, _ := handshakes(t, &zmtp.Config{Authorize: deny}, nil)
		require.ErrorIs(t, ra.err, c.err)
		require.ErrorContains(t, ra.err, "zmtp: peer not admitted")
		var rejected *zmtp.RejectedError
		if c.reason == "" {
			require.ErrorIs(t, rb.err, io.ErrUnexpectedEOF)
			continue
		}
		require.ErrorAs(t, rb.err, &rejected)
		require.Equal(t, c.reason, rejected.Reason)
	}
}

// NULL has sent its READY by then, so that the peer may hear of it in its first
// read.
func TestHandshakeCheckFails(t *testing.T) {
	refusal := errors.New("SUB cannot talk to REQ")
	check := func(p zmtp.Properties) error {
		require.Equal(t, "REQ", p.Get(zmtp.SocketType))
		return refusal
	}
	ca, cb := net.Pipe()
	defer ca.Close()
	defer cb.Close()
	got := make(chan error, 1)
	go func() {
		c, err := zmtp.Handshake(context.Background(), cb, &zmtp.Config{Properties: props("REQ")})
		if err == nil {
			_, err = c.ReadMessage()
		}
		got <- err
	}()
	_, err := zmtp.Handshake(context.Background(), ca, &zmtp.Config{Properties: props("SUB"), Check: check})
	require.ErrorIs(t, err, refusal)
	require.EqualError(t, err, "zmtp: peer refused: SUB cannot talk to REQ")
	var rejected *zmtp.RejectedError
	require.ErrorAs(t, <-got, &rejected)
	require.Equal(t, "SUB cannot talk to REQ", rejected.Reason)
}

func TestHandshakeRefusesBadConfig(t *testing.T) {
	for _, c := range []struct {
		cfg   zmtp.Config
		words string
	}{
		{zmtp.Config{Properties: zmtp.Properties{"": "x"}}, "1 to 255"},
		{zmtp.Config{Properties: zmtp.Properties{"a b": "x"}}, "1 to 255"},
		{zmtp.Config{Properties: zmtp.Properties{strings.Repeat("n", 256): "x"}}, "1 to 255"},
		{zmtp.Config{Properties: zmtp.Properties{"A": "x", "a": "y"}}, "same name"},
		{zmtp.Config{Properties: zmtp.Properties{"X-A": strings.Repeat("x", 65<<10)}}, "limited to"},
		{zmtp.Config{Properties: zmtp.Properties{"X-A": strings.Repeat("x", 40<<10), "X-B": strings.Repeat("x", 40<<10)}}, "limited to"},
		{zmtp.Config{Mechanism: &toy{name: ""}}, "mechanism name"},
		{zmtp.Config{Mechanism: &toy{name: strings.Repeat("M", 21)}}, "mechanism name"},
	} {
		s := newScript()
		_, err := zmtp.Handshake(context.Background(), s, &c.cfg)
		require.ErrorContains(t, err, c.words)
		require.Empty(t, s.written(), "nothing is sent")
	}
}

func TestHandshakeLargestProperties(t *testing.T) {
	p := zmtp.Properties{"X-A": strings.Repeat("x", 64<<10-256-8)}
	a, b := pair(t, &zmtp.Config{Properties: p}, nil)
	require.Equal(t, p, b.Peer())
	require.Empty(t, a.Peer())
}

// A peer that says nothing, or one byte now and then, costs the deadline and no
// more.
func TestHandshakeDeadline(t *testing.T) {
	all := append(greeting(v31), ready(props("DEALER"))...)
	for name, say := range map[string][]byte{"silence": nil, "slow greeting": all[:3], "slow READY": all[:70]} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				a, b := net.Pipe()
				defer b.Close()
				go io.Copy(io.Discard, b)
				go func() {
					for i := range say {
						b.Write(say[i : i+1])
						time.Sleep(time.Minute / time.Duration(len(say)) / 3) // of the bubble's clock
					}
				}()
				began := time.Now()
				_, err := zmtp.Handshake(ctx, a, nil)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorContains(t, err, "zmtp: handshake given up waiting for the peer's")
				require.Equal(t, 30*time.Second, time.Since(began))
				a.Close()
			})
		})
	}
}

// The peer does not even read: our write is what hangs.
func TestHandshakeDeadlineOfAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		go b.Write(greeting(v31))
		_, err := zmtp.Handshake(ctx, a, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestHandshakeCancelled(t *testing.T) {
	reason := errors.New("the socket is closing")
	for _, cut := range []int{0, 5, 64, 70} {
		all := append(greeting(v31), ready(nil)...)
		a, b := net.Pipe()
		go io.Copy(io.Discard, b)
		ctx, cancel := context.WithCancelCause(context.Background())
		go func() {
			b.Write(all[:cut])
			cancel(reason)
		}()
		_, err := zmtp.Handshake(ctx, a, nil)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, reason)
		a.Close()
		b.Close()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := newScript()
	_, err := zmtp.Handshake(ctx, s, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, s.written())
}

// A deadliner records what is left of the deadlines that were set.
type deadliner struct {
	net.Conn
	set chan time.Time
}

func (d deadliner) SetDeadline(t time.Time) error {
	d.set <- t
	return d.Conn.SetDeadline(t)
}

func TestHandshakeLeavesNoDeadline(t *testing.T) {
	ca, cb := net.Pipe()
	defer cb.Close()
	defer ca.Close()
	d := deadliner{ca, make(chan time.Time, 10)}
	ra, rb := handshakesOver(t, d, cb, nil, nil)
	require.NoError(t, ra.err)
	require.NoError(t, rb.err)
	require.Empty(t, d.set, "none was set, so that the caller's own stays")

	// The context ends with the handshake: whichever is first, no deadline stays.
	for range 50 {
		ca, cb := net.Pipe()
		d := deadliner{ca, make(chan time.Time, 10)}
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			go io.Copy(io.Discard, cb)
			cb.Write(append(greeting(v31), ready(nil)...))
			cancel()
		}()
		_, err := zmtp.Handshake(ctx, d, nil)
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
		close(d.set)
		var last time.Time
		for at := range d.set {
			last = at
		}
		require.True(t, last.IsZero(), "deadline %v stays", last)
		cancel()
		ca.Close()
		cb.Close()
	}
}

// slowDeadline sets the deadline that interrupts only when it is told to.
type slowDeadline struct {
	net.Conn
	entered, goOn chan struct{}
	last          time.Time
}

func (d *slowDeadline) SetDeadline(t time.Time) error {
	if !t.IsZero() {
		close(d.entered)
		<-d.goOn
	}
	d.last = t
	return d.Conn.SetDeadline(t)
}

// The context ends and the handshake succeeds in the same moment: a deadline that is
// being set must not come after Handshake has returned.
func TestHandshakeWaitsForItsInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		defer ca.Close()
		defer cb.Close()
		d := &slowDeadline{Conn: ca, entered: make(chan struct{}), goOn: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := zmtp.Handshake(ctx, d, nil)
			done <- err
		}()
		go io.Copy(io.Discard, cb)
		synctest.Wait() // it has begun
		cancel()
		<-d.entered
		cb.Write(append(greeting(v31), ready(nil)...))
		synctest.Wait()
		require.Empty(t, done)
		close(d.goOn)
		require.NoError(t, <-done)
		require.True(t, d.last.IsZero())
	})
}

type failing struct{ io.Reader }

var errBroken = errors.New("broken")

func (failing) Write([]byte) (int, error) { return 0, errBroken }

func TestHandshakeWriteFails(t *testing.T) {
	in := bytes.NewReader(append(greeting(v31), ready(nil)...))
	_, err := zmtp.Handshake(context.Background(), failing{in}, nil)
	require.ErrorIs(t, err, errBroken)
	require.EqualError(t, err, "zmtp: NULL handshake: broken")
}

// Ten thousand bytes are claimed, or 2^62: nothing is allocated for a claim.
func TestHandshakeAllocatesNothingAhead(t *testing.T) {
	in := append(greeting(v31), unhex("06 0000000000010000 05'READY'")...)
	var err error
	n := allocated(func() { _, err = zmtp.Handshake(context.Background(), newScript(in), nil) })
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Less(t, n, uint64(32<<10))
}

// Over a real connection, since deadlines are what interrupts.
func TestHandshakeOverTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	ca, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer ca.Close()
	cb, err := l.Accept()
	require.NoError(t, err)
	defer cb.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err = zmtp.Handshake(ctx, ca, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the means is not the reason")
}

// The peer speaks nonsense and does not read: what we write is cut off.
func TestHandshakeFailsWithoutAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		go b.Write([]byte("HTTP/1.1 400 Bad Request"))
		began := time.Now()
		_, err := zmtp.Handshake(t.Context(), a, nil)
		requireRule(t, err, "no ZMTP")
		require.Less(t, time.Since(began), 10*time.Second)
	})
}
