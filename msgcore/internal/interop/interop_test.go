package interop_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/msgcore"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		for _, p := range peers {
			os.RemoveAll(p.dir)
		}
		os.Exit(code)
	}))
}

// A talk is one way in which our sockets and a peer's exchange messages.
type talk struct {
	name string
	f    func(*bench)
}

// talks are for every peer.
var talks = []talk{
	{"REQ to a REP that is bound", func(b *bench) {
		req := b.open(msgcore.Req, nil)
		endpoint := b.unused()
		b.start("REP", "bind", endpoint)
		require.NoError(b, req.Connect(endpoint))
		b.echoed(req, 3, true)
	}},
	{"REQ to a REP that connects", func(b *bench) {
		req := b.open(msgcore.Req, nil)
		b.start("REP", "connect", b.bind(req))
		b.echoed(req, 3, true)
	}},
	{"ROUTER and DEALER", func(b *bench) {
		router := b.open(msgcore.Router, &msgcore.Options{Router: msgcore.RouterOptions{Notify: msgcore.NotifyConnect}})
		b.start("DEALER", "connect", b.bind(router))
		hello, err := router.Recv(b.ctx)
		require.NoError(b, err)
		id := hello.Frames[0]
		require.NoError(b, passes(b.ctx, stream(3), false,
			func(m [][]byte) error { return router.Send(b.ctx, append([][]byte{id}, m...)...) },
			func() ([][]byte, error) {
				m, err := router.Recv(b.ctx)
				if err != nil {
					return nil, err
				}
				return m.Frames[1:], nil
			}))
	}},
	{"PUSH and PULL", func(b *bench) {
		push, pull := b.open(msgcore.Push, nil), b.open(msgcore.Pull, nil)
		b.start("PULL", "connect", b.bind(push), "PUSH", "connect", b.bind(pull))
		b.relayed(push, pull, 3)
	}},
	{"PUB and SUB", func(b *bench) {
		pub, sub := b.open(msgcore.Pub, nil), b.open(msgcore.Sub, nil)
		require.NoError(b, sub.Subscribe(""))
		b.start("SUB", "connect", b.bind(pub), "PUB", "connect", b.bind(sub))
		b.synchronize(pub, sub)
		b.relayed(pub, sub, 3)
	}},
	{"REP", func(b *bench) {
		push, rep, pull := b.open(msgcore.Push, nil), b.open(msgcore.Rep, nil), b.open(msgcore.Pull, nil)
		b.serve(rep)
		b.start("PULL", "connect", b.bind(push), "REQ", "connect", b.bind(rep), "PUSH", "connect", b.bind(pull))
		b.relayed(push, pull, 3)
	}},
}

// draftTalks are for peers that have these types.
var draftTalks = []talk{
	{"CLIENT to a SERVER that is bound", func(b *bench) {
		client := b.open(msgcore.Client, nil)
		endpoint := b.unused()
		b.start("SERVER", "bind", endpoint)
		require.NoError(b, client.Connect(endpoint))
		b.echoed(client, 1, false)
	}},
	{"SERVER", func(b *bench) {
		push, server, pull := b.open(msgcore.Push, nil), b.open(msgcore.Server, nil), b.open(msgcore.Pull, nil)
		b.serve(server)
		b.start("PULL", "connect", b.bind(push), "CLIENT", "connect", b.bind(server), "PUSH", "connect", b.bind(pull))
		b.relayed(push, pull, 1)
	}},
	{"SCATTER and GATHER", func(b *bench) {
		scatter, gather := b.open(msgcore.Scatter, nil), b.open(msgcore.Gather, nil)
		b.start("GATHER", "connect", b.bind(scatter), "SCATTER", "connect", b.bind(gather))
		b.relayed(scatter, gather, 1)
	}},
	{"RADIO and DISH", func(b *bench) {
		radio, dish := b.open(msgcore.Radio, nil), b.open(msgcore.Dish, nil)
		require.NoError(b, dish.Join("group"))
		b.start("DISH", "connect", b.bind(radio), "RADIO", "connect", b.bind(dish))
		send := func(m [][]byte) error { return radio.Send(b.ctx, []byte("group"), m[0]) }
		recv := func() ([][]byte, error) {
			m, err := dish.Recv(b.ctx)
			if err != nil {
				return nil, err
			}
			return m.Frames[1:], nil
		}
		b.announce(func() error { return send([][]byte{sync0}) }, recv)
		require.NoError(b, passes(b.ctx, stream(1), false, send, b.without(sync0, recv)))
	}},
}

func TestInterop(t *testing.T) {
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			p.ready(t)
			all := talks
			if p.drafts {
				all = append(all[:len(all):len(all)], draftTalks...)
			}
			for _, scheme := range []string{"tcp", "ipc"} {
				if scheme == "ipc" && p.old {
					continue
				}
				for _, talk := range all {
					t.Run(scheme+", "+talk.name, func(t *testing.T) {
						b := newBench(t, p, scheme)
						talk.f(b)
					})
				}
			}
		})
	}
}

// A bench is what one talk needs.
type bench struct {
	*testing.T
	p      *peer
	scheme string
	ctx    context.Context
	dir    string
}

func newBench(t *testing.T, p *peer, scheme string) *bench {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	dir, err := os.MkdirTemp("", "mq") // short: a socket's path has at most 104 bytes
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &bench{T: t, p: p, scheme: scheme, ctx: ctx, dir: dir}
}

func (b *bench) open(typ msgcore.Type, o *msgcore.Options) *msgcore.Socket {
	var c msgcore.Options
	if o != nil {
		c = *o
	}
	c.Linger = msgcore.Discard
	s := msgcore.New(typ, &c)
	b.Cleanup(func() { s.Close() })
	return s
}

func (b *bench) start(sockets ...string) { b.p.start(b.T, sockets...) }

// bind binds s and returns the endpoint.
func (b *bench) bind(s *msgcore.Socket) string {
	endpoint := "tcp://127.0.0.1:*"
	if b.scheme == "ipc" {
		endpoint = b.unused()
	}
	bound, err := s.Bind(b.ctx, endpoint)
	require.NoError(b, err)
	return bound
}

// unused returns an endpoint for the peer to bind to.
func (b *bench) unused() string {
	if b.scheme == "ipc" {
		f, err := os.CreateTemp(b.dir, "s")
		require.NoError(b, err)
		f.Close()
		os.Remove(f.Name())
		return "ipc://" + filepath.Join(b.dir, filepath.Base(f.Name()))
	}
	// None of the ports that systems choose by themselves: while the peer's program
	// starts, such a one could become that of another package's test.
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10000+rand.IntN(10000)))
		if err == nil {
			require.NoError(b, l.Close())
			return "tcp://" + l.Addr().String()
		}
	}
	require.FailNow(b, "no port is free")
	return ""
}

// serve answers what s receives until the talk is over.
func (b *bench) serve(s *msgcore.Socket) {
	ctx, cancel := context.WithCancel(b.ctx)
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		_ = echo(ctx, s) // that it ended the messages show
	}()
	b.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

func receiver(ctx context.Context, s *msgcore.Socket) func() ([][]byte, error) {
	return func() ([][]byte, error) {
		m, err := s.Recv(ctx)
		return m.Frames, err
	}
}

// echoed sends messages of up to frames frames by s and wants them back.
func (b *bench) echoed(s *msgcore.Socket, frames int, oneByOne bool) {
	b.Helper()
	require.NoError(b, passes(b.ctx, stream(frames), oneByOne,
		func(m [][]byte) error { return s.Send(b.ctx, m...) }, receiver(b.ctx, s)))
}

// relayed sends them by one socket and wants them at the other.
func (b *bench) relayed(from, to *msgcore.Socket, frames int) {
	b.Helper()
	require.NoError(b, passes(b.ctx, stream(frames), false,
		func(m [][]byte) error { return from.Send(b.ctx, m...) }, b.without(sync0, receiver(b.ctx, to))))
}

// sync0 is what is sent until it arrives, before what counts.
var sync0 = []byte("\x00sync")

// synchronize sends sync0 until it has come through, as nobody can tell the PUB of
// a peer to wait for its subscribers.
func (b *bench) synchronize(pub, sub *msgcore.Socket) {
	b.announce(func() error { return pub.Send(b.ctx, sync0) }, receiver(b.ctx, sub))
}

func (b *bench) announce(send func() error, recv func() ([][]byte, error)) {
	got := make(chan error, 1)
	go func() {
		_, err := recv()
		got <- err
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		require.NoError(b, send())
		select {
		case err := <-got:
			require.NoError(b, err)
			return
		case <-tick.C:
		}
	}
}

// without receives what is not the given single frame.
func (b *bench) without(frame []byte, recv func() ([][]byte, error)) func() ([][]byte, error) {
	return func() ([][]byte, error) {
		for {
			m, err := recv()
			if err != nil || len(m) != 1 || string(m[0]) != string(frame) {
				return m, err
			}
		}
	}
}
