package msgcore_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/simnet"
)

// requireOp wants an *OpError of the operation and type, and returns it.
func requireOp(t testing.TB, err error, op string, typ msgcore.Type) *msgcore.OpError {
	t.Helper()
	var oe *msgcore.OpError
	require.ErrorAs(t, err, &oe)
	require.Equal(t, op, oe.Op)
	require.Equal(t, typ, oe.Type)
	prefix := "msgcore: " + op
	if typ != 0 {
		prefix += " " + typ.String()
	}
	require.True(t, strings.HasPrefix(err.Error(), prefix), err.Error())
	require.Same(t, oe, err, "it is not wrapped again")
	return oe
}

// verbs are all that a socket can be asked, by the names of their operations.
func verbs(s *msgcore.Socket, ctx context.Context) map[string]func() error {
	m := msgcore.Msg{Frames: [][]byte{[]byte("frame"), []byte("frame")}}
	return map[string]func() error{
		"bind":       func() error { _, err := s.Bind(ctx, anyPort); return err },
		"connect":    func() error { return s.Connect("tcp://127.0.0.1:1") },
		"unbind":     func() error { return s.Unbind(anyPort) },
		"disconnect": func() error { return s.Disconnect("tcp://127.0.0.1:1") },
		"send":       func() error { return s.Send(ctx, m.Frames...) },
		"send m":     func() error { return s.SendMsg(ctx, m) },
		"send try":   func() error { _, err := s.TrySend(m); return err },
		"send batch": func() error { _, err := s.SendBatch(ctx, []msgcore.Msg{m}); return err },
		"recv":       func() error { _, err := s.Recv(ctx); return err },
		"recv try":   func() error { _, _, err := s.TryRecv(); return err },
		"recv batch": func() error { _, err := s.RecvBatch(ctx, make([]msgcore.Msg, 1)); return err },
		"recv all": func() (err error) {
			for _, err = range s.Messages(ctx) {
				break
			}
			return err
		},
		"request":                 func() error { _, err := s.Request(ctx, []byte("frame")); return err },
		"join":                    func() error { return s.Join("x") },
		"leave":                   func() error { return s.Leave("x") },
		"connect peer":            func() error { _, err := s.ConnectPeer(ctx, "tcp://127.0.0.1:1"); return err },
		"subscribe":               func() error { return s.Subscribe("x") },
		"unsubscribe":             func() error { return s.Unsubscribe("x") },
		"connect as":              func() error { return s.ConnectAs("tcp://127.0.0.1:1", "x") },
		"topics":                  func() error { _, err := s.Topics(); return err },
		"wait for peers of":       func() error { return s.WaitPeers(ctx, 1) },
		"wait for subscribers of": func() error { return s.WaitSubscribers(ctx, 1) },
	}
}

// lacks reports whether sockets of typ do not have the verb.
func lacks(typ msgcore.Type, verb string) bool {
	op, _, _ := strings.Cut(verb, " ")
	switch op {
	case "send":
		return typ == msgcore.Sub || typ == msgcore.Pull || typ == msgcore.Dish || typ == msgcore.Gather
	case "recv":
		return typ == msgcore.Pub || typ == msgcore.Push || typ == msgcore.Radio || typ == msgcore.Scatter
	case "request":
		return typ != msgcore.Req && typ != msgcore.Dealer
	case "subscribe", "unsubscribe":
		return typ != msgcore.Sub && typ != msgcore.XSub
	case "topics":
		return typ != msgcore.Pub && typ != msgcore.XPub && typ != msgcore.Sub && typ != msgcore.XSub
	case "join", "leave":
		return typ != msgcore.Dish
	}
	switch verb {
	case "connect as":
		return typ != msgcore.Router && typ != msgcore.Stream
	case "connect peer":
		return typ != msgcore.Peer
	case "wait for subscribers of":
		return typ != msgcore.Pub && typ != msgcore.XPub && typ != msgcore.Radio
	}
	return false
}

func TestLifecycleUnsupportedVerbs(t *testing.T) {
	for _, typ := range allTypes {
		t.Run(typ.String(), func(t *testing.T) {
			s := open(t, typ, nil)
			n := 0
			for verb, call := range verbs(s, limited(t)) {
				if !lacks(typ, verb) {
					continue
				}
				n++
				err := call()
				require.ErrorIs(t, err, errors.ErrUnsupported, verb)
				op, _, _ := strings.Cut(verb, " ")
				if op == "wait" {
					op = verb
				}
				requireOp(t, err, op, typ)
			}
			require.GreaterOrEqual(t, n, 2)
		})
	}
	for _, f := range []func(context.Context, ...[]byte) error{msgcore.Msg{}.Reply, msgcore.Msg{Frames: [][]byte{nil}}.Reply} {
		err := f(t.Context(), nil)
		require.ErrorContains(t, err, "can be replied to")
		require.NotContains(t, err.Error(), "Type(")
	}
}

// A closed socket answers everything with net.ErrClosed, and Close as it did the
// first time.
func TestLifecycleClosed(t *testing.T) {
	for _, typ := range allTypes {
		t.Run(typ.String(), func(t *testing.T) {
			s := open(t, typ, nil)
			bindTo(t, s, anyPort)
			var wg sync.WaitGroup
			for range 3 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				}()
			}
			wg.Wait()
			require.NoError(t, s.Close())
			require.NoError(t, s.Shutdown(t.Context()))
			for verb, call := range verbs(s, limited(t)) {
				err := call()
				if lacks(typ, verb) && errors.Is(err, errors.ErrUnsupported) {
					continue
				}
				require.ErrorIs(t, err, net.ErrClosed, verb)
				op, _, _ := strings.Cut(verb, " ")
				if op == "wait" {
					op = verb
				}
				requireOp(t, err, op, typ)
			}
			require.Empty(t, s.Pending())
			require.Equal(t, msgcore.Stats{}, s.Stats())
		})
	}
	unsent := open(t, msgcore.Push, &msgcore.Options{Linger: time.Millisecond})
	require.NoError(t, unsent.Connect(unused(t, "tcp")))
	sendTexts(t, unsent, "lost")
	err := unsent.Close()
	require.Error(t, err)
	require.Same(t, err, unsent.Close())
}

// Whatever waits is told when the socket is closed: without any peer, with one
// that does nothing, and with a context that can end and one that cannot.
func TestLifecycleCloseWakesEverybody(t *testing.T) {
	for _, typ := range allTypes {
		for _, peers := range []string{"alone", "one peer", "two peers"} {
			t.Run(typ.String()+"/"+peers, func(t *testing.T) {
				s := open(t, typ, &msgcore.Options{Linger: msgcore.Discard, SendHWM: 1})
				if peers != "alone" {
					endpoint := bindTo(t, s, anyPort)
					rawHandshake(t, endpoint, counterpart[typ].String())
					n := 1
					if peers == "two peers" && typ != msgcore.Pair && typ != msgcore.Channel {
						rawHandshake(t, endpoint, counterpart[typ].String())
						n = 2
					}
					require.NoError(t, s.WaitPeers(limited(t), n))
				}
				ended := make(chan error, 100)
				n := 0
				start := func(f func() error) {
					n++
					began := make(chan struct{})
					go func() {
						close(began)
						ended <- f()
					}()
					<-began
				}
				for _, ctx := range []context.Context{context.Background(), limited(t)} {
					big := make([]byte, 8<<20) // more than the kernel takes
					switch typ {
					case msgcore.Push, msgcore.Dealer, msgcore.Pair, msgcore.Scatter, msgcore.Channel, msgcore.Client:
						start(func() error {
							for {
								if err := s.Send(ctx, big); err != nil {
									return err
								}
							}
						})
					}
					switch typ {
					case msgcore.Req, msgcore.Dealer:
						start(func() error { _, err := s.Request(ctx, []byte("x")); return err })
					}
					if !lacks(typ, "recv") && typ != msgcore.Req {
						start(func() error { _, err := s.Recv(ctx); return err })
						start(func() error { _, err := s.RecvBatch(ctx, make([]msgcore.Msg, 3)); return err })
					}
					start(func() error { return s.WaitPeers(ctx, 3) })
					if !lacks(typ, "wait for subscribers of") {
						start(func() error { return s.WaitSubscribers(ctx, 1) })
					}
				}
				runtime.Gosched()
				_ = s.Close() // of Send there may be something left
				for range n {
					select {
					case err := <-ended:
						require.ErrorIs(t, err, net.ErrClosed)
					case <-time.After(patience):
						require.FailNow(t, "somebody waits for ever")
					}
				}
			})
		}
	}
}

// The end of a context ends the call, and nothing else.
func TestLifecycleContextEnds(t *testing.T) {
	for _, typ := range allTypes {
		t.Run(typ.String(), func(t *testing.T) {
			s := open(t, typ, nil)
			wantAll(t, s)
			bound := bindTo(t, s, anyPort)
			past, cancel := context.WithCancel(t.Context())
			cancel()
			soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			for _, ctx := range []context.Context{past, soon} {
				all := verbs(s, ctx)
				for _, verb := range []string{"recv", "recv batch", "recv all", "request", "wait for peers of", "wait for subscribers of", "connect peer"} {
					if lacks(typ, verb) || typ == msgcore.Req && strings.HasPrefix(verb, "recv") {
						continue
					}
					err := all[verb]()
					require.ErrorIs(t, err, ctx.Err(), verb)
					op, _, _ := strings.Cut(verb, " ")
					if op == "wait" {
						op = verb
					}
					requireOp(t, err, op, typ)
				}
				switch typ {
				case msgcore.Push, msgcore.Dealer, msgcore.Pair, msgcore.Req:
					require.ErrorIs(t, all["send"](), ctx.Err())
					require.ErrorIs(t, all["send m"](), ctx.Err())
					require.ErrorIs(t, all["send batch"](), ctx.Err())
					require.NoError(t, all["send try"]()) // it does not wait
				}
			}
			healthy(t, s, bound)
		})
	}
}

// A reply that waits for room is told, too.
func TestLifecycleCloseWakesReplies(t *testing.T) {
	for _, typ := range []msgcore.Type{msgcore.Rep, msgcore.Router} {
		t.Run(typ.String(), func(t *testing.T) {
			s := open(t, typ, &msgcore.Options{SendHWM: 1, Linger: msgcore.Discard})
			p := rawHandshake(t, bindTo(t, s, anyPort), "DEALER")
			p.send(t, after(frame(1, nil), frame(0, []byte("request")))...)
			m, err := s.Recv(limited(t))
			require.NoError(t, err)
			began := make(chan struct{})
			ended := make(chan error, 1)
			go func() {
				close(began)
				for {
					if err := m.Reply(context.Background(), make([]byte, 8<<20)); err != nil {
						ended <- err
						return
					}
				}
			}()
			<-began
			_ = s.Close()
			require.ErrorIs(t, <-ended, net.ErrClosed)
		})
	}
}

// Unbind ends listening and nothing else.
func TestLifecycleUnbind(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		o, w := watched(msgcore.Options{})
		s, first := open(t, msgcore.Router, o), open(t, msgcore.Dealer, nil)
		bound := bindTo(t, s, endpoint)
		require.NoError(t, first.Connect(bound))
		exchange(t, s, first, "before")
		require.NoError(t, s.Unbind(endpoint)) // as it was given
		requireOp(t, s.Unbind(bound), "unbind", msgcore.Router)
		require.Equal(t, bound, w.times(t, 1, msgcore.Closed).Endpoint)
		exchange(t, s, first, "after")

		// The name is free, also for a socket of another type.
		other, second := open(t, msgcore.Pull, nil), open(t, msgcore.Push, nil)
		require.Equal(t, bound, bindTo(t, other, bound))
		require.NoError(t, second.Connect(bound))
		exchange(t, other, second, "other")
		require.NoError(t, other.Unbind(bound))
		if path, ok := strings.CutPrefix(bound, "ipc://"); ok {
			require.NoFileExists(t, path)
		}
		exchange(t, s, first, "still")
	})
}

// Disconnect ends a connection for good, and drops what was for it alone.
func TestLifecycleDisconnect(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		ro, rw := watched(msgcore.Options{})
		do, dw := watched(msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Millisecond}})
		s, d := open(t, msgcore.Router, ro), open(t, msgcore.Dealer, do)
		bound := bindTo(t, s, endpoint)
		requireOp(t, d.Disconnect(bound), "disconnect", msgcore.Dealer)
		require.NoError(t, d.Connect(bound))
		exchange(t, s, d, "before")
		require.NoError(t, d.Disconnect(bound))
		require.ErrorContains(t, d.Disconnect(bound), "not connected to this endpoint")
		require.False(t, hasPeers(d))
		ok, err := d.TrySend(msgcore.Msg{Frames: [][]byte{nil}})
		require.NoError(t, err)
		require.False(t, ok)
		rw.times(t, 1, msgcore.Disconnected)
		dw.times(t, 1, msgcore.Disconnected)

		// Again, and twice, which are two connections; each Disconnect ends one.
		require.NoError(t, d.Connect(bound))
		require.NoError(t, d.Connect(bound))
		require.NoError(t, d.WaitPeers(limited(t), 2))
		require.NoError(t, d.Disconnect(bound))
		exchange(t, s, d, "after")
		dw.times(t, 2, msgcore.Disconnected)
		require.Empty(t, dw.kindsOf(msgcore.ConnectRetried))
	})
}

// What waits for a server that never came is dropped by Disconnect, and counted.
func TestLifecycleDisconnectDrops(t *testing.T) {
	o, w := watched(msgcore.Options{})
	s := open(t, msgcore.Push, o)
	endpoint := unused(t, "tcp")
	require.NoError(t, s.Connect(endpoint))
	for range 3 {
		sendTexts(t, s, "lost")
	}
	w.times(t, 1, msgcore.ConnectRetried)
	require.Equal(t, []msgcore.Pending{{Endpoint: endpoint, Messages: 3, Bytes: 18}}, s.Pending())
	require.NoError(t, s.Disconnect(endpoint))
	require.Nil(t, s.Pending())
	require.EqualValues(t, 3, s.Stats().DroppedLost)
	require.NoError(t, s.Close())
}

// An endpoint in use is an error that says so, and leaves its owner alone.
func TestLifecycleBindTwice(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		first := open(t, msgcore.Pull, nil)
		bound := bindTo(t, first, endpoint)
		for _, s := range []*msgcore.Socket{first, open(t, msgcore.Rep, nil)} {
			_, err := s.Bind(limited(t), bound)
			oe := requireOp(t, err, "bind", s.Type())
			require.Equal(t, bound, oe.Endpoint)
			require.Contains(t, err.Error(), bound)
			if errInUse != nil {
				require.ErrorIs(t, err, errInUse)
			}
		}
		healthy(t, first, bound)
		require.NoError(t, first.Close())
		next := open(t, msgcore.Pull, nil)
		bindTo(t, next, bound)
		healthy(t, next, bound)
	})
}

// Endpoints that are wrong are refused at once, with a reason that helps.
func TestLifecycleBadEndpoints(t *testing.T) {
	long := "ipc://" + filepath.Join(t.TempDir(), strings.Repeat("long", 100))
	for _, c := range []struct {
		endpoint, bind, connect string // what the errors say; an empty one: that it is fine
	}{
		{"", `no "://"`, `no "://"`},
		{"127.0.0.1:5555", `no "://"`, `no "://"`},
		{"tcp:/127.0.0.1:5555", `no "://"`, `no "://"`},
		{"tcp://", "no address", "no address"},
		{"TCP://127.0.0.1:5555", "a scheme starts with a letter", "a scheme starts with a letter"},
		{"carrier-pigeon://loft", `no transport for scheme "carrier-pigeon"; there are [`, `no transport for scheme "carrier-pigeon"`},
		{"tcp://nonsense", "no port; write it like", "no port; write it like"},
		{"tcp://127.0.0.1", "no port", "no port"},
		{"tcp://127.0.0.1:99999", "99999", "99999"},
		{"tcp://127.0.0.1:http", "http", "http"},
		{"tcp://::1:5555", "[::1]:5555", "[::1]:5555"},
		{"tcp://[nonsense]:5555", "not an IPv6 address", "not an IPv6 address"},
		{"tcp://:5555", "no host", "no host"},
		{"tcp://no such host:*", "no such host", "can be listened on, not dialed"},
		{"tcp://no such host:5555", "no such host", "neither a name nor an address"},
		{"tcp://127.0.0.1;127.0.0.1:5555", "only for dialing", "source: no port"},
		{"tcp://127.0.0.1:no;127.0.0.1:5555", "only for dialing", "source: port"},
		{"ipc:///nowhere/at/all", "no such file", ""},
		{"ipc://a\x00b", "zero byte", "zero byte"},
		{long, "long", "long"},
		{"fake://nobody", "nobody has set this address up", ""},
	} {
		s := open(t, msgcore.Dealer, &msgcore.Options{Linger: msgcore.Discard})
		_, err := s.Bind(limited(t), c.endpoint)
		require.ErrorContains(t, err, c.bind, c.endpoint)
		oe := requireOp(t, err, "bind", msgcore.Dealer)
		require.Equal(t, c.endpoint, oe.Endpoint)
		err = s.Connect(c.endpoint)
		if c.connect == "" { // only dialing can tell
			require.NoError(t, err, c.endpoint)
			continue
		}
		require.ErrorContains(t, err, c.connect, c.endpoint)
		requireOp(t, err, "connect", msgcore.Dealer)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := open(t, msgcore.Dealer, nil).Bind(ctx, "tcp://localhost:*")
	require.ErrorIs(t, err, context.Canceled)
	requireOp(t, err, "bind", msgcore.Dealer)
}

// What is wrong with options is said by Validate, and by the first call.
func TestLifecycleOptions(t *testing.T) {
	require.NoError(t, (*msgcore.Options)(nil).Validate(msgcore.Push))
	for _, c := range []struct {
		why string // empty: they are fine
		typ msgcore.Type
		o   msgcore.Options
	}{
		{"", msgcore.Pull, msgcore.Options{}},
		{"no such socket type", 0, msgcore.Options{}},
		{"no such socket type", 200, msgcore.Options{}},
		{"", msgcore.Dealer, msgcore.Options{RoutingID: strings.Repeat("x", 255)}},
		{"RoutingID has 256 bytes, the limit is 255", msgcore.Dealer, msgcore.Options{RoutingID: strings.Repeat("x", 256)}},
		{"starts with a zero byte", msgcore.Dealer, msgcore.Options{RoutingID: "\x00x"}},
		{"", msgcore.Pull, msgcore.Options{SendHWM: -1, RecvHWM: -1, SendBytes: -1, RecvBytes: -1, Handshake: -1, Linger: -1}},
		{"", msgcore.Pull, msgcore.Options{MaxMessage: math.MaxInt64}},
		{"MaxMessage is -1", msgcore.Pull, msgcore.Options{MaxMessage: -1}},
		{"", msgcore.Pull, msgcore.Options{Heartbeat: msgcore.Heartbeat{Interval: time.Second, TTL: 65500 * time.Millisecond}}},
		{"must not be negative", msgcore.Pull, msgcore.Options{Heartbeat: msgcore.Heartbeat{Interval: -1}}},
		{"must not be negative", msgcore.Pull, msgcore.Options{Heartbeat: msgcore.Heartbeat{Timeout: -1}}},
		{"must not be negative", msgcore.Pull, msgcore.Options{Heartbeat: msgcore.Heartbeat{TTL: -1}}},
		{"at most 1m5.5s", msgcore.Pull, msgcore.Options{Heartbeat: msgcore.Heartbeat{TTL: 65501 * time.Millisecond}}},
		{"is not over Heartbeat.Interval", msgcore.Pull, msgcore.Options{Heartbeat: msgcore.Heartbeat{Interval: time.Second, TTL: time.Second}}},
		{"", msgcore.Pull, msgcore.Options{Reconnect: msgcore.Reconnect{Interval: -1}}},
		{"Reconnect.Max must not be negative", msgcore.Pull, msgcore.Options{Reconnect: msgcore.Reconnect{Max: -1}}},
		{"Reconnect.Stop is 0x8", msgcore.Pull, msgcore.Options{Reconnect: msgcore.Reconnect{Stop: 8}}},
		{"", msgcore.Req, msgcore.Options{Spin: 10 * time.Millisecond}},
		{"Spin is 10.000001ms, want 0 to 10ms", msgcore.Req, msgcore.Options{Spin: 10*time.Millisecond + 1}},
		{"Spin is -1ns", msgcore.Rep, msgcore.Options{Spin: -1}},
		{"Spin is for REQ and REP, not for DEALER", msgcore.Dealer, msgcore.Options{Spin: 1}},
		{"ConnectTimeout must not be negative", msgcore.Pull, msgcore.Options{ConnectTimeout: -1}},
		{"", msgcore.Router, msgcore.Options{Router: msgcore.RouterOptions{Mandatory: true}}},
		{"is for ROUTER, not for DEALER", msgcore.Dealer, msgcore.Options{Router: msgcore.RouterOptions{Mandatory: true}}},
		{"is for ROUTER, not for PULL", msgcore.Pull, msgcore.Options{Router: msgcore.RouterOptions{Notify: msgcore.NotifyConnect}}},
		{"", msgcore.Pull, msgcore.Options{Metadata: map[string]string{"X-Name": "value"}}},
		{`name "Name" in Metadata`, msgcore.Pull, msgcore.Options{Metadata: map[string]string{"Name": "value"}}},
		{"at most 255 bytes", msgcore.Pull, msgcore.Options{Metadata: map[string]string{"X-" + strings.Repeat("x", 254): ""}}},
		{"ASCII", msgcore.Pull, msgcore.Options{Metadata: map[string]string{"X-Nam\u00e9": ""}}},
		{"the same name", msgcore.Pull, msgcore.Options{Metadata: map[string]string{"X-Name": "", "X-NAME": ""}}},
		{"together are limited", msgcore.Pull, msgcore.Options{Metadata: map[string]string{"X-Name": strings.Repeat("x", 1<<16)}}},
	} {
		err := c.o.Validate(c.typ)
		s := msgcore.New(c.typ, &c.o)
		if c.why == "" {
			require.NoError(t, err)
			require.NoError(t, s.Close())
			continue
		}
		require.ErrorContains(t, err, c.why)
		requireOp(t, err, "options", c.typ)
		for verb, call := range verbs(s, limited(t)) {
			got := call()
			if lacks(c.typ, verb) && errors.Is(got, errors.ErrUnsupported) {
				continue
			}
			require.ErrorContains(t, got, c.why, verb)
			requireOp(t, got, "options", c.typ)
		}
		require.Empty(t, s.Pending())
		require.NoError(t, s.Close())
	}
}

// Options are copied: to change them later changes nothing.
func TestLifecycleOptionsAreCopied(t *testing.T) {
	o := &msgcore.Options{Metadata: map[string]string{"X-Name": "before"}, RoutingID: "before"}
	dealer := open(t, msgcore.Dealer, o)
	o.Metadata["X-Name"], o.Metadata["bad"], o.RoutingID = "after", "", "after"
	router := open(t, msgcore.Router, nil)
	require.NoError(t, dealer.Connect(bindTo(t, router, anyPort)))
	sendTexts(t, dealer, "hello")
	m, err := router.Recv(limited(t))
	require.NoError(t, err)
	require.Equal(t, "before", string(m.Frames[0]))
	require.Equal(t, map[string]string{"Socket-Type": "DEALER", "Identity": "before", "X-Name": "before"}, m.Peer().Properties)
}

// Events come in order, as what they are.
func TestLifecycleEvents(t *testing.T) {
	schemes(t, func(t *testing.T, endpoint string) {
		scheme, _, _ := strings.Cut(endpoint, "://")
		so, sw := watched(msgcore.Options{})
		co, cw := watched(msgcore.Options{RoutingID: "me", Metadata: map[string]string{"X-Test": "1"}})
		s, c := open(t, msgcore.Router, so), open(t, msgcore.Dealer, co)
		bound := bindTo(t, s, endpoint)
		require.NoError(t, c.Connect(bound))
		exchange(t, s, c, "hello")
		require.NoError(t, c.Close())
		sw.times(t, 1, msgcore.Disconnected)
		require.NoError(t, s.Close())
		// All of them were told when Close returned.
		server := []string{"listening", "accepted", "handshake succeeded", "disconnected", "closed"}
		client := []string{"connected", "handshake succeeded", "disconnected"}
		if scheme == "inproc" {
			server = append(server[:1], server[2:]...)
			client = client[1:]
		}
		require.Equal(t, server, sw.kinds())
		require.Equal(t, client, cw.kinds())
		all, _ := sw.events(0)
		for i, e := range all {
			require.Equal(t, bound, e.Endpoint, e.Kind)
			if i > 0 {
				require.False(t, e.Time.Before(all[i-1].Time))
			}
		}
		e := sw.times(t, 1, msgcore.HandshakeSucceeded)
		require.NoError(t, e.Err)
		require.Equal(t, "DEALER", e.Peer.Type)
		require.Equal(t, "me", e.Peer.RoutingID)
		require.Equal(t, "NULL", e.Peer.Mechanism)
		require.Equal(t, "1", e.Peer.Properties["X-Test"])
		if scheme == "ipc" && runtime.GOOS == "linux" {
			require.Equal(t, os.Getpid(), e.Peer.Cred.PID)
		} else {
			require.Equal(t, -1, e.Peer.Cred.PID)
		}
		require.Error(t, sw.times(t, 1, msgcore.Disconnected).Err)
		require.Equal(t, "ROUTER", cw.times(t, 1, msgcore.HandshakeSucceeded).Peer.Type)
		require.Zero(t, s.Stats().LostEvents)
	})
}

// A monitor that is slow loses events, which are counted, and holds nobody up.
func TestLifecycleSlowMonitor(t *testing.T) {
	release := make(chan struct{})
	var told int
	s := open(t, msgcore.Pull, &msgcore.Options{Monitor: func(msgcore.Event) {
		<-release
		told++
	}})
	const n = 2000
	for range n {
		bound := bindTo(t, s, "inproc://*")
		require.NoError(t, s.Unbind(bound))
	}
	close(release)
	require.NoError(t, s.Close())
	require.Positive(t, s.Stats().LostEvents)
	require.EqualValues(t, 2*n, uint64(told)+s.Stats().LostEvents)
}

// The numbers of kinds and types that nobody has named have a text.
func TestLifecycleNames(t *testing.T) {
	require.Equal(t, "EventKind(0)", msgcore.EventKind(0).String())
	require.Equal(t, "EventKind(200)", fmt.Sprint(msgcore.EventKind(200)))
	require.Equal(t, "closed", msgcore.Closed.String())
	require.Equal(t, "Type(0)", msgcore.Type(0).String())
	require.Equal(t, "ROUTER", fmt.Sprint(msgcore.Router))
	require.False(t, msgcore.Type(0).Peers(msgcore.Pull))
	require.True(t, msgcore.Pull.Peers(msgcore.Push))
	require.False(t, msgcore.Pull.Peers(msgcore.Pull))
}

// A wildcard is for listening, on every transport, those of a test's network too.
func TestLifecycleWildcardsAreNotDialed(t *testing.T) {
	host := simnet.New().Host("host")
	for _, o := range []*msgcore.Options{nil, {Transports: host.Lookup}} {
		s := open(t, msgcore.Dealer, o)
		for _, endpoint := range []string{"tcp://127.0.0.1:*", "tcp://127.0.0.1:0", "ipc://*", "inproc://*"} {
			err := s.Connect(endpoint)
			require.ErrorContains(t, err, "can be listened on, not dialed", endpoint)
			requireOp(t, err, "connect", msgcore.Dealer)
		}
		if o == nil { // on a network of its own * is the host itself
			require.ErrorContains(t, s.Connect("tcp://*:5555"), "can be listened on, not dialed")
		} else {
			require.ErrorContains(t, s.Connect("tcp://host"), "missing port")
			require.ErrorContains(t, s.Connect("quic://host:http"), "not a number")
		}
	}
	s := open(t, msgcore.Dealer, &msgcore.Options{Transport: transport.Options{Proxy: transport.Proxy{Addr: "socks"}}})
	require.ErrorContains(t, s.Connect("tcp://example.com:80"), "no port")
	s = open(t, msgcore.Dealer, &msgcore.Options{Transport: transport.Options{IPVersion: 4}})
	require.ErrorContains(t, s.Connect("tcp://[::1]:80"), "is no IPv4 address")
}
