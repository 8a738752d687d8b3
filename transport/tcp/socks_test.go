package tcp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/tcp"
)

const (
	proxyUser = "al1ce"
	proxyPass = "s3cret"
)

// A socksServer is a proxy as RFC 1928 and RFC 1929 have it. Names are those of
// hosts.
type socksServer struct {
	net.Listener
	login bool
	hosts map[string]string // the address that a name stands for; empty: nobody listens there

	wg    sync.WaitGroup
	mu    sync.Mutex
	asked []string // the targets, as they came
}

func newSocksServer(t *testing.T, login bool) *socksServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &socksServer{Listener: l, login: login, hosts: map[string]string{"server.invalid": "127.0.0.1", "refused.invalid": "", "::1": ""}}
	p.wg.Go(p.run)
	t.Cleanup(func() {
		l.Close()
		p.wg.Wait()
	})
	return p
}

// proxy is what clients are told.
func (p *socksServer) proxy() transport.Proxy {
	o := transport.Proxy{Addr: p.Addr().String()}
	if p.login {
		o.User, o.Password = proxyUser, proxyPass
	}
	return o
}

func (p *socksServer) run() {
	for {
		c, err := p.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() {
			defer c.Close()
			_ = p.serve(c) // a client that goes is no error
		})
	}
}

func (p *socksServer) serve(c net.Conn) error {
	var b [512]byte
	read := func(n int) []byte { // what is cut is zero, and the write behind it fails
		clear(b[:n])
		_, _ = io.ReadFull(c, b[:n])
		return b[:n]
	}
	methods := read(int(read(2)[1]))
	want := byte(0)
	if p.login {
		want = 2
	}
	if !bytes.Contains(methods, []byte{want}) {
		_, err := c.Write([]byte{5, 0xff})
		return err
	}
	if _, err := c.Write([]byte{5, want}); err != nil {
		return err
	}
	if p.login {
		user := string(read(int(read(2)[1])))
		ok := user == proxyUser && string(read(int(read(1)[0]))) == proxyPass
		if _, err := c.Write([]byte{1, map[bool]byte{true: 0, false: 1}[ok]}); err != nil || !ok {
			return err
		}
	}
	host := ""
	switch read(4)[3] {
	case 1:
		host = net.IP(read(4)).String()
	case 4:
		host = net.IP(read(16)).String()
	case 3:
		host = string(read(int(read(1)[0])))
	}
	port := read(2)
	target := net.JoinHostPort(host, fmt.Sprint(int(port[0])<<8|int(port[1])))
	p.mu.Lock()
	p.asked = append(p.asked, target)
	p.mu.Unlock()
	at, named := p.hosts[host]
	if named {
		target = strings.Replace(target, host, at, 1)
	}
	var d net.Conn
	err := tcp.ErrRefused
	if !named || at != "" {
		d, err = net.Dial("tcp", target)
	}
	if err != nil {
		_, err := c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return err
	}
	defer d.Close()
	if _, err := c.Write(append([]byte{5, 0, 0, 3, 4}, "here\x00\x01"...)); err != nil {
		return err
	}
	p.wg.Go(func() {
		_, _ = io.Copy(c, d)
		c.Close()
	})
	_, err = io.Copy(d, c)
	return err
}

// A proxy that is down says nothing of the target, which is not refused by it.
func TestProxyThatIsDown(t *testing.T) {
	_, err := tcp.Transport{}.Dial(t.Context(), "192.0.2.1:5555", &transport.Options{Proxy: transport.Proxy{Addr: "127.0.0.1:1"}})
	require.ErrorContains(t, err, "127.0.0.1:1")
	require.NotErrorIs(t, err, tcp.ErrRefused)
}

// A dial through a proxy, with and without a login, by address and by name, which
// only the proxy can look up.
func TestProxy(t *testing.T) {
	l := listen(t, "127.0.0.1:*", nil)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	for _, login := range []bool{false, true} {
		p := newSocksServer(t, login)
		opts := &transport.Options{Proxy: p.proxy()}
		var want []string
		for _, host := range []string{"127.0.0.1", "server.invalid"} {
			target := net.JoinHostPort(host, port)
			want = append(want, target)
			for _, addr := range []string{target, "127.0.0.1:0;" + target} {
				a, b := pair(t, l, addr, opts)
				go a.Write([]byte("hello"))
				got := make([]byte, 5)
				_, err := io.ReadFull(b, got)
				require.NoError(t, err)
				require.Equal(t, "hello", string(got))
				require.NoError(t, b.Close())
				_, err = a.Read(got)
				require.ErrorIs(t, err, io.EOF, "%s", addr)
			}
		}
		p.mu.Lock()
		require.Equal(t, []string{want[0], want[0], want[1], want[1]}, p.asked)
		p.mu.Unlock()
		_, err := tcp.Transport{}.Dial(t.Context(), "refused.invalid:1", opts)
		require.ErrorIs(t, err, tcp.ErrRefused, "by the target, says the proxy")
	}
	// The version of IP is that of the connection to the proxy.
	opts := &transport.Options{Proxy: newSocksServer(t, false).proxy(), IPVersion: 4}
	_, err = tcp.Transport{}.Dial(t.Context(), "[::1]:1", opts)
	require.ErrorIs(t, err, tcp.ErrRefused)
	opts.IPVersion = 6
	_, err = tcp.Transport{}.Dial(t.Context(), "[::1]:1", opts)
	require.ErrorContains(t, err, "127.0.0.1 is no IPv6 address")

	opts = &transport.Options{Proxy: transport.Proxy{Addr: "no port"}}
	_, err = tcp.Transport{}.Dial(t.Context(), "127.0.0.1:1", opts)
	require.ErrorContains(t, err, `tcp: proxy "no port"`)
}

// answers are what a proxy may say that is not "yes", and what comes of it.
var answers = []struct{ says, why string }{
	{"", "does not answer: EOF"},
	{"\x05", "does not answer"},
	{"\x04\x00", "does not speak SOCKS5: its first byte is 0x4"},
	{"HTTP/1.1 400", "does not speak SOCKS5: its first byte is 0x48"},
	{"\x05\xff", "wants another way to log in"},
	{"\x05\x01", "wants another way to log in than by a user and a password: 0x1"},
	{"\x05\x02\x01", "does not answer the login"},
	{"\x05\x02\x01\x01", "refuses this user and password"},
	{"\x05\x00", "does not answer the request"},
	{"\x05\x00\x05\x00\x00", "does not answer the request"},
	{"\x05\x00\x04\x00\x00\x01", "its answer starts with 0x4"},
	{"\x05\x00\x05\x01\x00\x01", "it has not connected: it has failed"},
	{"\x05\x00\x05\x02\x00\x01", "rules do not allow"},
	{"\x05\x02\x01\x00\x05\x05\x00\x01", "connection refused"},
	{"\x05\x00\x05\x09\x00\x01", "a reason of its own: 0x9"},
	{"\x05\x00\x05\x00\x00\x02", "an address of kind 0x2"},
	{"\x05\x00\x05\x00\x00\x01\x01\x02", "its answer is cut"},
	{"\x05\x00\x05\x00\x00\x03", "its answer is cut"},
	{"\x05\x00\x05\x00\x00\x03\xff", "its answer is cut"},
}

// stream is what the other side says, and nowhere for what it is told.
type stream struct {
	io.Reader
	io.Writer
}

func TestProxyAnswers(t *testing.T) {
	p := transport.Proxy{Addr: "x", User: proxyUser, Password: proxyPass}
	for _, a := range answers {
		err := tcp.AskProxy(stream{strings.NewReader(a.says), io.Discard}, p, "127.0.0.1:1")
		require.ErrorContains(t, err, a.why, "%q", a.says)
		requireNoSecrets(t, err.Error())
	}
	none := stream{strings.NewReader("\x05\x02"), io.Discard}
	require.ErrorContains(t, tcp.AskProxy(none, transport.Proxy{}, "127.0.0.1:1"), "wants a user")
	require.ErrorContains(t, tcp.AskProxy(none, p, "[fe80::1%eth0]:1"), "names an interface")
	require.ErrorContains(t, tcp.AskProxy(none, p, strings.Repeat("x", 256)+":1"), "over the limit of 255")

	// No byte behind the answer is taken: it is the target's.
	for _, yes := range []string{"\x05\x00\x05\x00\x00\x01ipv4pp", "\x05\x02\x01\x00\x05\x00\x00\x04ipv6ipv6ipv6ipv6pp", "\x05\x00\x05\x00\x00\x03\x04namepp"} {
		r := strings.NewReader(yes + "rest")
		require.NoError(t, tcp.AskProxy(stream{r, io.Discard}, p, "[::1]:1"))
		require.Equal(t, 4, r.Len(), "%q", yes)
	}
}

func requireNoSecrets(t testing.TB, text string) {
	t.Helper()
	for _, secret := range []string{proxyUser, proxyPass, fmt.Sprint([]byte(proxyPass)), fmt.Sprintf("%x", proxyPass)} {
		require.NotContains(t, text, secret)
	}
}

func FuzzProxyAnswers(f *testing.F) {
	for _, a := range answers {
		f.Add([]byte(a.says))
	}
	p := transport.Proxy{Addr: "x", User: proxyUser, Password: proxyPass}
	f.Fuzz(func(t *testing.T, says []byte) {
		r := bytes.NewReader(says)
		if err := tcp.AskProxy(stream{r, io.Discard}, p, "name.invalid:1"); err != nil {
			requireNoSecrets(t, err.Error())
		}
		require.LessOrEqual(t, len(says)-r.Len(), 2+2+4+1+255+2)
	})
}

// A proxy that stops to answer, at any point, keeps Dial no longer than its
// context, or 30 s if that has no end.
func TestProxyHangs(t *testing.T) {
	p := transport.Proxy{Addr: "x", User: proxyUser, Password: proxyPass}
	for _, says := range []string{"", "\x05", "\x05\x02", "\x05\x02\x01\x00", "\x05\x02\x01\x00\x05\x00\x00\x03\xff"} {
		synctest.Test(t, func(t *testing.T) {
			hang := func(ctx context.Context) error {
				near, far := net.Pipe()
				defer near.Close()
				go io.Copy(io.Discard, far)
				go io.WriteString(far, says)
				return tcp.ThroughProxy(ctx, near, p, "127.0.0.1:1")
			}
			began := time.Now()
			require.ErrorIs(t, hang(t.Context()), context.DeadlineExceeded)
			require.Equal(t, 30*time.Second, time.Since(began))

			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.ErrorIs(t, hang(ctx), context.DeadlineExceeded)
			require.Equal(t, 90*time.Second, time.Since(began))

			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			require.ErrorIs(t, hang(ctx), context.Canceled)
			require.Equal(t, 91*time.Second, time.Since(began))
		})
	}
}

// Sockets connect through a proxy; the wrong password, and a proxy that hangs, are
// told by events, in which no secret is.
func TestProxyOfASocket(t *testing.T) {
	within := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		t.Cleanup(cancel)
		return ctx
	}
	pull := msgcore.NewPull(nil)
	defer pull.Close()
	endpoint, err := pull.Bind(within(), "tcp://127.0.0.1:*")
	require.NoError(t, err)
	byName := strings.Replace(endpoint, "127.0.0.1", "server.invalid", 1)

	events := make(chan msgcore.Event, 100)
	push := func(p transport.Proxy, patience time.Duration) *msgcore.Socket {
		s := msgcore.NewPush(&msgcore.Options{
			Transport: transport.Options{Proxy: p}, ConnectTimeout: patience,
			Reconnect: msgcore.Reconnect{Interval: -1}, Linger: msgcore.Discard,
			Monitor: func(e msgcore.Event) {
				requireNoSecrets(t, fmt.Sprintf("%v %+v %#v", e, e, e))
				events <- e
			},
		})
		t.Cleanup(func() { s.Close() })
		require.NoError(t, s.Connect(byName))
		return s
	}
	next := func() msgcore.Event {
		select {
		case e := <-events:
			return e
		case <-within().Done():
			require.FailNow(t, "no event")
			return msgcore.Event{}
		}
	}

	server := newSocksServer(t, true)
	wrong := server.proxy()
	wrong.Password += "?"
	push(wrong, 0)
	e := next()
	require.Equal(t, msgcore.Closed, e.Kind)
	require.ErrorContains(t, e.Err, "refuses this user and password")

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	push(transport.Proxy{Addr: silent.Addr().String(), User: proxyUser, Password: proxyPass}, 50*time.Millisecond)
	e = next()
	require.Equal(t, msgcore.Closed, e.Kind)
	require.ErrorIs(t, e.Err, context.DeadlineExceeded)
	require.ErrorContains(t, e.Err, "through the proxy "+silent.Addr().String())

	s := push(server.proxy(), 0)
	require.Equal(t, msgcore.Connected, next().Kind)
	require.NoError(t, s.Send(within(), []byte("hello")))
	m, err := pull.Recv(within())
	require.NoError(t, err)
	require.Equal(t, "hello", string(m.Bytes()))
	require.Equal(t, msgcore.HandshakeSucceeded, next().Kind)
	require.NoError(t, s.Close())
}
