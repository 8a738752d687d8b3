package msgcore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// ProbeRouter tells a ROUTER of a peer before it has sent anything, on each
// connection.
func TestProbeRouter(t *testing.T) {
	for _, typ := range []msgcore.Type{msgcore.Req, msgcore.Dealer, msgcore.Router} {
		t.Run(typ.String(), func(t *testing.T) {
			schemes(t, func(t *testing.T, ep string) {
				router := open(t, msgcore.Router, nil)
				ep = bindTo(t, router, ep)
				s := open(t, typ, &msgcore.Options{ProbeRouter: true, RoutingID: "me"})
				require.NoError(t, s.Connect(ep))
				require.Equal(t, []string{"me", ""}, recvTexts(t, router))
				if typ == msgcore.Dealer {
					sendTexts(t, s, "data")
					require.Equal(t, []string{"me", "data"}, recvTexts(t, router))
					sendTexts(t, router, "me", "answer")
					require.Equal(t, []string{"answer"}, recvTexts(t, s))
				}
				require.NoError(t, router.Close())
				router = open(t, msgcore.Router, nil)
				require.Eventually(t, func() bool { _, err := router.Bind(limited(t), ep); return err == nil }, patience, 1e6)
				require.Equal(t, []string{"me", ""}, recvTexts(t, router), "after a reconnect")
			})
		})
	}
}

// A probe is dropped by those that it means nothing to, and does not disturb them.
func TestProbeRouterOthers(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		rep, req := msgcore.NewRep(nil), msgcore.NewReq(&msgcore.Options{ProbeRouter: true})
		pair(t, rep, req, ep)
		sendTexts(t, req, "question")
		require.Equal(t, []string{"question"}, recvTexts(t, rep))
		sendTexts(t, rep, "answer")
		require.Equal(t, []string{"answer"}, recvTexts(t, req))
	})
}

func TestProbeRouterLibzmq(t *testing.T) {
	py := startPython(t)
	for _, typ := range []msgcore.Type{msgcore.Req, msgcore.Dealer, msgcore.Router} {
		theirs := py.open(t, "ROUTER", nil)
		s := open(t, typ, &msgcore.Options{ProbeRouter: true, RoutingID: "me"})
		require.NoError(t, s.Connect(theirs.bind(t, anyPort)))
		require.Equal(t, []string{"me", ""}, theirs.recv(t))

		ours := open(t, msgcore.Router, nil)
		prober := py.open(t, typ.String(), pyOptions{"PROBE_ROUTER": 1, "ROUTING_ID": "you"})
		prober.do(t, "connect", bindTo(t, ours, anyPort))
		require.Equal(t, []string{"you", ""}, recvTexts(t, ours))
	}
}

// lifeMessages are options for messages that come and go with connections, as far
// as typ can have them.
func lifeMessages(typ msgcore.Type) *msgcore.Options {
	o := &msgcore.Options{}
	if typ != msgcore.Dealer && typ != msgcore.Client {
		o.Disconnected = []byte("disconnected")
	}
	if typ != msgcore.Router && typ != msgcore.Server {
		o.Hiccup = []byte("hiccup")
	}
	o.Hello = []byte("hello from " + typ.String())
	return o
}

// last returns the last frame of the next message.
func last(t testing.TB, s *msgcore.Socket) string {
	t.Helper()
	f := recvTexts(t, s)
	return f[len(f)-1]
}

// Hello comes first on each connection, from both sides; what the end of a
// connection leaves behind comes behind all that was sent, at both.
func TestLifeMessages(t *testing.T) {
	for _, c := range []struct{ bound, connected msgcore.Type }{
		{msgcore.Router, msgcore.Dealer},
		{msgcore.Server, msgcore.Client},
		{msgcore.Peer, msgcore.Peer},
	} {
		t.Run(c.bound.String(), func(t *testing.T) {
			schemes(t, func(t *testing.T, ep string) {
				bound, conn := open(t, c.bound, lifeMessages(c.bound)), open(t, c.connected, lifeMessages(c.connected))
				ep = bindTo(t, bound, ep)
				require.NoError(t, conn.Connect(ep))
				if c.connected != msgcore.Peer { // which needs to know whom it sends to
					sendTexts(t, conn, "data")
				}
				require.Equal(t, "hello from "+c.connected.String(), last(t, bound))
				if c.connected != msgcore.Peer {
					require.Equal(t, "data", last(t, bound))
				}
				require.Equal(t, "hello from "+c.bound.String(), last(t, conn))

				require.NoError(t, bound.Close())
				require.Equal(t, "hiccup", last(t, conn))
				bound = open(t, c.bound, lifeMessages(c.bound))
				require.Eventually(t, func() bool { _, err := bound.Bind(limited(t), ep); return err == nil }, patience, 1e6)
				require.Equal(t, "hello from "+c.connected.String(), last(t, bound), "once more")
				require.Equal(t, "hello from "+c.bound.String(), last(t, conn))
				require.NoError(t, conn.Close())
				require.Equal(t, "disconnected", last(t, bound))
			})
		})
	}
}

// The numbers of these options, which libzmq has as drafts.
const (
	zmqHello      = 110
	zmqDisconnect = 111
	zmqHiccup     = 114
)

// What these options do on the wire is what a libzmq with drafts does.
func TestLifeMessagesLibzmq(t *testing.T) {
	ours := open(t, msgcore.Router, lifeMessages(msgcore.Router))
	theirs := startDraft(t, "Dealer", map[int]any{zmqHello: "theirs"}, "connect", bindTo(t, ours, anyPort))
	require.Equal(t, "theirs", last(t, ours))
	require.Equal(t, []string{"hello from ROUTER"}, theirs.frames(t))
	theirs.send(t, "data")
	theirs.say(t, "close")
	require.Equal(t, "data", last(t, ours))
	require.Equal(t, "disconnected", last(t, ours))

	dealer := open(t, msgcore.Dealer, lifeMessages(msgcore.Dealer))
	router := startDraft(t, "Router", map[int]any{zmqHello: "theirs", zmqDisconnect: "gone"}, "bind", anyPort)
	require.NoError(t, dealer.Connect(router.endpoint))
	require.Equal(t, []string{"theirs"}, recvTexts(t, dealer))
	require.Equal(t, "hello from DEALER", router.frames(t)[1])
	require.NoError(t, dealer.Close())
	require.Equal(t, "gone", router.frames(t)[1])
}

// Options of a type that cannot have them are refused by name.
func TestPatternOptionsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		o    msgcore.Options
		ok   []msgcore.Type
	}{
		{"Req", msgcore.Options{Req: msgcore.ReqOptions{Relaxed: true}}, []msgcore.Type{msgcore.Req}},
		{"Req", msgcore.Options{Req: msgcore.ReqOptions{Correlate: true}}, []msgcore.Type{msgcore.Req}},
		{"Conflate", msgcore.Options{Conflate: true}, []msgcore.Type{msgcore.Push, msgcore.Pull, msgcore.Pub, msgcore.Sub, msgcore.Dealer}},
		{"Welcome", msgcore.Options{Welcome: []byte{}}, []msgcore.Type{msgcore.XPub}},
		{"InvertMatching", msgcore.Options{InvertMatching: true}, []msgcore.Type{msgcore.Pub, msgcore.XPub, msgcore.Sub}},
		{"Sub.VerboseUnsubscribe", msgcore.Options{Sub: msgcore.SubOptions{VerboseUnsubscribe: true}}, []msgcore.Type{msgcore.XSub}},
		{"ProbeRouter", msgcore.Options{ProbeRouter: true}, []msgcore.Type{msgcore.Req, msgcore.Dealer, msgcore.Router}},
		{"Hello", msgcore.Options{Hello: []byte{}}, []msgcore.Type{msgcore.Dealer, msgcore.Router, msgcore.Client, msgcore.Server, msgcore.Peer}},
		{"Hiccup", msgcore.Options{Hiccup: []byte{}}, []msgcore.Type{msgcore.Dealer, msgcore.Client, msgcore.Peer}},
		{"Disconnected", msgcore.Options{Disconnected: []byte{}}, []msgcore.Type{msgcore.Router, msgcore.Server, msgcore.Peer}},
	} {
		for _, typ := range allTypes {
			err := c.o.Validate(typ)
			if contains(c.ok, typ) {
				require.NoError(t, err, "%s of %v", c.name, typ)
				continue
			}
			require.ErrorContains(t, err, c.name)
			require.ErrorContains(t, err, "not for "+typ.String())
		}
	}
	raw := msgcore.Options{Router: msgcore.RouterOptions{Raw: true}, ProbeRouter: true}
	require.ErrorContains(t, raw.Validate(msgcore.Router), "Raw")
	long := msgcore.Options{Hello: make([]byte, 11), MaxMessage: 10}
	require.ErrorContains(t, long.Validate(msgcore.Dealer), "Hello")
}

func contains(list []msgcore.Type, typ msgcore.Type) bool {
	for _, t := range list {
		if t == typ {
			return true
		}
	}
	return false
}
