package unique_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func onTCP(t *testing.T) *unique.Options {
	t.Helper()
	opts := uniquetest.Options(t)
	opts.TCP = true
	return opts
}

func seven(context.Context, *unique.Invocation) int { return 7 }

// A secondary needs no option to find a primary on tcp, and all goes as on ipc.
func TestTCPByOption(t *testing.T) {
	opts := onTCP(t)
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	require.True(t, where.TCP)
	require.Equal(t, "Options.TCP", where.TCPReason)
	app := primary(t, opts, seven)
	require.True(t, strings.HasPrefix(app.Holder().Endpoint, "tcp://127.0.0.1:"), app.Holder().Endpoint)

	other := &unique.Options{Dir: opts.Dir}
	where, err = unique.Where(testID, other)
	require.NoError(t, err)
	require.True(t, where.TCP)
	require.Contains(t, where.String(), "secured by CURVE: Options.TCP")
	h, err := unique.Lookup(within(t), testID, other)
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), h.PID)
	code, err := secondary(t, other).Forward(within(t), unique.Current())
	require.NoError(t, err)
	require.Equal(t, 7, code)
	require.NoFileExists(t, where.Socket)
}

// Where ipc is not to be had, tcp is chosen, and Where says why.
func TestTCPBecauseOfNoIPC(t *testing.T) {
	opts := uniquetest.Options(t)
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	require.False(t, where.TCP)
	for _, path := range openSite(t, testID, opts).ControlPaths() {
		require.NoError(t, os.MkdirAll(path, 0o700)) // no socket can be made there
	}
	app := primary(t, opts, seven)
	require.True(t, strings.HasPrefix(app.Holder().Endpoint, "tcp://"))
	where, err = unique.Where(testID, opts)
	require.NoError(t, err)
	require.True(t, where.TCP)
	require.Contains(t, where.TCPReason, "no ipc: ")
	require.Contains(t, where.TCPReason, "not a socket")
	code, err := secondary(t, opts).Forward(within(t), unique.Current())
	require.NoError(t, err)
	require.Equal(t, 7, code)
}

// The key of the server is another one each time, that of the clients stays.
func TestTCPKeys(t *testing.T) {
	opts := onTCP(t)
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	run := func() (server, client curve.PublicKey) {
		app, err := unique.Acquire(within(t), testID, opts)
		require.NoError(t, err)
		defer func() { require.NoError(t, app.Close()) }()
		data, err := os.ReadFile(where.Record)
		require.NoError(t, err)
		r, err := unique.ParseRecord(data)
		require.NoError(t, err)
		require.Equal(t, where.ClientKey, r.ClientKey)
		c, err := curve.LoadSecret(where.ClientKey)
		require.NoError(t, err)
		require.NotContains(t, string(data), c.Secret.Z85())
		return r.ServerKey, c.Public
	}
	server1, client1 := run()
	server2, client2 := run()
	require.NotEqual(t, server1, server2)
	require.Equal(t, client1, client2)
	if os.PathSeparator == '/' {
		require.NoError(t, os.Chmod(where.ClientKey, 0o644))
		_, client3 := run()
		require.NotEqual(t, client1, client3, "one that others could read is worth nothing")
	}
}

// A key file that is removed while the primary runs comes back.
func TestTCPKeyComesBack(t *testing.T) {
	opts := onTCP(t)
	site, err := unique.OpenSite(testID, opts)
	require.NoError(t, err)
	defer site.Close()
	app := primary(t, opts, seven)
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	before, err := os.ReadFile(where.ClientKey)
	require.NoError(t, err)
	require.NoError(t, os.Remove(where.ClientKey))
	require.NoError(t, unique.TendOf(app))
	after, err := os.ReadFile(where.ClientKey)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// Whoever has not the key gets nothing from the primary, and no Hello of ours goes
// to a server that has not the key of the record.
func TestTCPStrangers(t *testing.T) {
	opts := onTCP(t)
	app := primary(t, opts, seven)
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	data, err := os.ReadFile(where.Record)
	require.NoError(t, err)
	r, err := unique.ParseRecord(data)
	require.NoError(t, err)
	_, stranger, err := curve.GenerateKey()
	require.NoError(t, err)
	for name, o := range map[string]*msgcore.Options{
		"NULL":        {},
		"another key": {Mechanism: curve.Client(stranger, r.ServerKey)},
	} {
		t.Run(name, func(t *testing.T) {
			refused := make(chan msgcore.Event, 1000)
			o.Monitor = func(e msgcore.Event) {
				if e.Kind == msgcore.HandshakeFailed {
					refused <- e
				}
			}
			o.Linger = msgcore.Discard
			s := msgcore.NewDealer(o)
			defer s.Close()
			require.NoError(t, s.Connect(app.Holder().Endpoint))
			select {
			case <-refused:
			case <-within(t).Done():
				require.Fail(t, "not refused")
			}
		})
	}

	// Somebody took the place of the server.
	heard := make(chan []byte, 100)
	_, impostor, err := curve.GenerateKey()
	require.NoError(t, err)
	s := msgcore.NewRouter(&msgcore.Options{Mechanism: curve.Server(impostor)})
	defer s.Close()
	bound, err := s.Bind(within(t), "tcp://127.0.0.1:*")
	require.NoError(t, err)
	go func() {
		for m, err := range s.Messages(context.Background()) {
			if err != nil {
				return
			}
			heard <- m.Bytes()
		}
	}()
	rewriteRecord(t, opts, `endpoint=.*`, `endpoint="`+bound+`"`)
	_, err = unique.Lookup(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrNoPrimary)
	_, err = unique.Acquire(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrUnresponsive, "the lock is held all the same")
	require.Empty(t, heard)
}

// Records that would lead off this host, or without a key, are none.
func TestTCPRecords(t *testing.T) {
	key, _, err := curve.GenerateKey()
	require.NoError(t, err)
	r := unique.Record{Proto: 1, PID: 1, Endpoint: "tcp://127.0.0.1:5", ServerKey: key, ClientKey: "/x", Reason: "because"}
	text := string(r.AppendTo(nil))
	back, err := unique.ParseRecord([]byte(text))
	require.NoError(t, err)
	require.Equal(t, key, back.ServerKey)
	require.Equal(t, "because", back.Reason)
	for _, endpoint := range []string{"tcp://192.0.2.1:5", "tcp://example.org:5", "tcp://localhost:5", "tcp://127.0.0.1", "tcp://[::2]:5"} {
		r.Endpoint = endpoint
		_, err := unique.ParseRecord(r.AppendTo(nil))
		require.ErrorIs(t, err, unique.ErrNoRecord, endpoint)
	}
	r.Endpoint = "ipc:///x" // without a key, which is left out
	_, body, _ := strings.Cut(string(r.AppendTo(nil)), "\n")
	body = strings.Replace(body, "ipc:///x", "tcp://127.0.0.1:5", 1)
	_, err = unique.ParseRecord([]byte(fmt.Sprintf("solomq-primary/1 %d\n%s", len(body), body)))
	require.ErrorIs(t, err, unique.ErrNoRecord)
}

// A channel's socket in a secondary finds the next primary, which has another port
// and another key.
func TestTCPChannelOfTheNextPrimary(t *testing.T) {
	opts := onTCP(t)
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	second := secondary(t, opts)
	_, err = second.Open(within(t), "own", msgcore.Pull, &msgcore.Options{Mechanism: curve.Client(curve.SecretKey{1}, curve.PublicKey{1})})
	require.ErrorContains(t, err, "Options.Mechanism")
	pull, err := second.Open(within(t), "work", msgcore.Pull, nil) // before it is bound
	require.NoError(t, err)
	defer pull.Close()
	send := func(app *unique.Instance, text string) {
		push, err := app.Open(within(t), "work", msgcore.Push, nil)
		require.NoError(t, err)
		require.NoError(t, push.Send(within(t), []byte(text)))
		m, err := pull.Recv(within(t))
		require.NoError(t, err)
		require.Equal(t, text, string(m.Bytes()))
		require.NoError(t, push.Close())
	}
	send(first, "one")
	require.NoError(t, first.Close())
	next, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	require.Equal(t, unique.Primary, next.Role())
	send(next, "two")
	require.NoError(t, next.Close())
	left, err := filepath.Glob(filepath.Join(opts.Dir, "*.port"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// Nothing but this host can connect, whatever the file of a channel says.
func TestTCPPortFiles(t *testing.T) {
	path := filepath.Join(uniquetest.Options(t).Dir, "x.port")
	s := msgcore.NewPull(&msgcore.Options{Linger: msgcore.Discard})
	defer s.Close()
	tr := unique.PortTransport
	_, err := tr.Dial(within(t), path, nil)
	require.ErrorContains(t, err, "no process has bound the channel")
	require.NoError(t, os.WriteFile(path, []byte("192.0.2.1:5\n"), 0o600))
	_, err = tr.Dial(within(t), path, nil)
	require.ErrorContains(t, err, "loopback")
	l, err := tr.Listen(within(t), path, nil)
	require.NoError(t, err)
	require.Equal(t, path, l.Addr().String())
	require.Equal(t, "unique-port", l.Addr().Network())
	c, err := tr.Dial(within(t), path, nil)
	require.NoError(t, err)
	require.True(t, c.RemoteAddr().(*net.TCPAddr).IP.IsLoopback())
	require.NoError(t, c.Close())
	later, err := tr.Listen(within(t), path, nil) // of the next primary
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.FileExists(t, path)
	require.NoError(t, later.Close())
	require.NoFileExists(t, path)
}
