package msgcore_test

import (
	"net"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

func manual(last bool) *msgcore.Options {
	return &msgcore.Options{Pub: msgcore.PubOptions{Manual: true, ManualLastValue: last}}
}

// The application of a manual XPUB decides who gets what, and hears of all that
// peers ask for.
func TestXPubManual(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := limited(t)
		xpub, a, b := open(t, msgcore.XPub, manual(false)), open(t, msgcore.XSub, nil), open(t, msgcore.XSub, nil)
		require.ErrorIs(t, xpub.Subscribe("x"), msgcore.ErrState)
		at := bindTo(t, xpub, ep)
		require.NoError(t, a.Connect(at))
		require.NoError(t, a.Subscribe("A"))
		require.Equal(t, "\x01A", recvText(t, xpub))
		require.NoError(t, xpub.Subscribe("XA"))
		require.NoError(t, b.Connect(at))
		require.NoError(t, b.Subscribe("A")) // asked for already, and told all the same
		require.Equal(t, "\x01A", recvText(t, xpub))
		require.NoError(t, xpub.Subscribe("XB"))
		require.NoError(t, xpub.Subscribe("both"))
		n, err := xpub.Topics()
		require.NoError(t, err)
		require.Equal(t, 3, n)

		for _, text := range []string{"A", "XA", "XB"} {
			sendTexts(t, xpub, text)
		}
		require.Equal(t, "XA", recvText(t, a))
		require.Equal(t, "XB", recvText(t, b))

		require.NoError(t, b.Send(ctx, []byte("data"))) // is not about a subscription
		require.Equal(t, "data", recvText(t, xpub))
		require.NoError(t, a.Unsubscribe("A"))
		require.Equal(t, "\x00A", recvText(t, xpub))
		require.NoError(t, xpub.Unsubscribe("XA"))
		require.NoError(t, xpub.Subscribe("now"))
		sendTexts(t, xpub, "XA")
		sendTexts(t, xpub, "now")
		require.Equal(t, "now", recvText(t, a))

		// What b has asked for ends with it, and what it was given, too.
		require.NoError(t, b.Close())
		require.Equal(t, "\x00A", recvText(t, xpub))
		n, err = xpub.Topics()
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.NoError(t, xpub.Subscribe("nobody"), "it is gone")
		n, _ = xpub.Topics()
		require.Equal(t, 1, n)
	})
}

// The first message after a Subscribe goes to that peer alone: a last value cache.
func TestXPubManualLastValue(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		xpub, a, b := open(t, msgcore.XPub, manual(true)), open(t, msgcore.Sub, nil), open(t, msgcore.Sub, nil)
		at := bindTo(t, xpub, ep)
		for i, sub := range []*msgcore.Socket{a, b} {
			require.NoError(t, sub.Connect(at))
			require.NoError(t, sub.Subscribe("A"))
			require.Equal(t, "\x01A", recvText(t, xpub))
			require.NoError(t, xpub.Subscribe("A"))
			sendTexts(t, xpub, "A", "last", string(rune('0'+i)))
			require.Equal(t, "Alast"+string(rune('0'+i)), recvText(t, sub))
		}
		sendTexts(t, xpub, "A new") // to both: nothing went to a meanwhile
		require.Equal(t, "A new", recvText(t, a))
		require.Equal(t, "A new", recvText(t, b))
		batch := []msgcore.Msg{{Frames: [][]byte{[]byte("A 1")}}, {Frames: [][]byte{[]byte("A 2")}}}
		require.NoError(t, a.Subscribe("A"))
		require.Equal(t, "\x01A", recvText(t, xpub))
		require.NoError(t, xpub.Subscribe("A"))
		_, err := xpub.SendBatch(limited(t), batch)
		require.NoError(t, err)
		require.Equal(t, "A 1", recvText(t, a))
		require.Equal(t, "A 2", recvText(t, a))
		require.Equal(t, "A 2", recvText(t, b))
	})
}

// The same steps on libzmq's XPUB and on ours are heard alike by libzmq's SUBs.
func TestXPubManualLibzmq(t *testing.T) {
	py := startPython(t)
	ours, theirs := open(t, msgcore.XPub, manual(false)), py.open(t, "XPUB", pyOptions{"XPUB_MANUAL": 1})
	type xpub struct {
		endpoint    string
		recv        func() string
		subscribe   func(string)
		unsubscribe func(string)
		send        func(string)
	}
	for _, x := range []xpub{
		{
			bindTo(t, ours, anyPort),
			func() string { return recvText(t, ours) },
			func(s string) { require.NoError(t, ours.Subscribe(s)) },
			func(s string) { require.NoError(t, ours.Unsubscribe(s)) },
			func(s string) { sendTexts(t, ours, s) },
		},
		{
			theirs.bind(t, anyPort),
			func() string { return theirs.recv(t)[0] },
			func(s string) { theirs.do(t, "set", "SUBSCRIBE", s) },
			func(s string) { theirs.do(t, "set", "UNSUBSCRIBE", s) },
			func(s string) { theirs.send(t, s) },
		},
	} {
		sub, other := py.open(t, "XSUB", nil), open(t, msgcore.XSub, nil)
		sub.do(t, "connect", x.endpoint)
		sub.send(t, "\x01A")
		require.Equal(t, "\x01A", x.recv())
		x.subscribe("B")
		require.NoError(t, other.Connect(x.endpoint))
		require.NoError(t, other.Subscribe("A"))
		require.Equal(t, "\x01A", x.recv())
		x.subscribe("C")
		for _, text := range []string{"A", "B", "C"} {
			x.send(text)
		}
		require.Equal(t, []string{"B"}, sub.recv(t))
		require.Equal(t, "C", recvText(t, other))
		sub.send(t, "\x00A")
		require.Equal(t, "\x00A", x.recv())
		x.unsubscribe("B")
		x.subscribe("D")
		x.send("B")
		x.send("D")
		require.Equal(t, []string{"D"}, sub.recv(t))
		require.NoError(t, other.Close())
		require.Equal(t, "\x00A", x.recv())
	}
}

func TestXPubWelcome(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		xpub := open(t, msgcore.XPub, &msgcore.Options{Welcome: []byte("W")})
		at := bindTo(t, xpub, ep)
		for range 2 {
			sub := open(t, msgcore.Sub, nil)
			require.NoError(t, sub.Subscribe("W"))
			require.NoError(t, sub.Connect(at))
			require.Equal(t, "W", recvText(t, sub))
			require.NoError(t, sub.Close())
		}
	})
	py := startPython(t)
	sub := py.open(t, "SUB", pyOptions{"SUBSCRIBE": "W"})
	sub.do(t, "connect", bindTo(t, open(t, msgcore.XPub, &msgcore.Options{Welcome: []byte("W")}), anyPort))
	require.Equal(t, []string{"W"}, sub.recv(t))
	xpub, ours := py.open(t, "XPUB", pyOptions{"XPUB_WELCOME_MSG": "W"}), open(t, msgcore.Sub, nil)
	require.NoError(t, ours.Subscribe("W"))
	require.NoError(t, ours.Connect(xpub.bind(t, anyPort)))
	require.Equal(t, []string{"\x01W"}, xpub.recv(t)) // libzmq works within its application's calls
	require.Equal(t, "W", recvText(t, ours))
}

// With inverted matching a message goes to those that have not subscribed to it.
func TestInvertMatching(t *testing.T) {
	o := &msgcore.Options{InvertMatching: true}
	for _, typ := range []msgcore.Type{msgcore.Pub, msgcore.XPub} {
		t.Run(typ.String(), func(t *testing.T) {
			schemes(t, func(t *testing.T, ep string) {
				pub, a, b := open(t, typ, o), open(t, msgcore.Sub, o), open(t, msgcore.Sub, o)
				at := bindTo(t, pub, ep)
				for sub, prefix := range map[*msgcore.Socket]string{a: "A", b: "B"} {
					require.NoError(t, sub.Subscribe(prefix))
					require.NoError(t, sub.Subscribe("none"))
					require.NoError(t, sub.Connect(at))
				}
				require.NoError(t, pub.WaitPeers(limited(t), 2))
				require.NoError(t, pub.WaitSubscribers(limited(t), 4))
				large := make([]byte, 100<<10)
				for _, text := range []string{"A1", "nonesuch", "B1", "C1"} {
					sendTexts(t, pub, text, string(large))
				}
				require.Equal(t, []string{"B1", string(large)}, recvTexts(t, a))
				require.Equal(t, []string{"C1", string(large)}, recvTexts(t, a))
				require.Equal(t, []string{"A1", string(large)}, recvTexts(t, b))
				require.Equal(t, []string{"C1", string(large)}, recvTexts(t, b))
			})
		})
	}
}

func TestInvertMatchingLibzmq(t *testing.T) {
	py := startPython(t)
	o := &msgcore.Options{InvertMatching: true}
	for _, typ := range []string{"PUB", "XPUB"} {
		pub, sub := py.open(t, typ, pyOptions{"INVERT_MATCHING": 1}), open(t, msgcore.Sub, o)
		require.NoError(t, sub.Connect(pub.bind(t, anyPort)))
		first := pub.start(t, "send_stream", 1, 0, 0, true) // announces until it is heard
		recvText(t, sub)
		pub.p.await(t, pub.p.start(t, pub.id, "go"))
		pub.p.await(t, first)
		require.NoError(t, sub.Subscribe("A"))
		pub.send(t, "A1") // it may be under way before the subscription: then we drop it
		pub.send(t, "B1")
		require.Equal(t, "B1", skipSync(t, sub))

		ours, theirs := open(t, msgcore.XPub, o), py.open(t, "SUB", pyOptions{"INVERT_MATCHING": 1, "SUBSCRIBE": "A"})
		theirs.do(t, "connect", bindTo(t, ours, anyPort))
		require.Equal(t, "\x01A", recvText(t, ours))
		sendTexts(t, ours, "A1")
		sendTexts(t, ours, "B1")
		require.Equal(t, []string{"B1"}, theirs.recv(t))
	}
}

// skipSync is recvText without announcements.
func skipSync(t *testing.T, s *msgcore.Socket) string {
	for {
		if text := recvText(t, s); text != "\x00sync" {
			return text
		}
	}
}

// counting is what an XPUB tells its application of, with each pair of options.
var counting = []struct {
	name string
	ours msgcore.PubOptions
	py   pyOptions
}{
	{"plain", msgcore.PubOptions{}, nil},
	{"verbose", msgcore.PubOptions{Verbose: true}, pyOptions{"XPUB_VERBOSE": 1}},
	{"verboser", msgcore.PubOptions{Verboser: true}, pyOptions{"XPUB_VERBOSER": 1}},
	{"manual", msgcore.PubOptions{Manual: true}, pyOptions{"XPUB_MANUAL": 1}},
}

// A subscriberStep is one of a script that runs against both XPUBs: behind it a
// subscription that nobody else has comes and goes, so that what was heard before
// is known to be all.
type subscriberStep struct {
	who    int    // of two subscribers
	do     string // "+prefix", "-prefix", "leave" or "join"
	expect map[string][]string
}

func xpubSteps() []subscriberStep {
	all := func(notes ...string) map[string][]string {
		m := map[string][]string{}
		for _, c := range counting {
			m[c.name] = notes
		}
		return m
	}
	only := func(notes []string, names ...string) map[string][]string {
		m := map[string][]string{}
		for _, name := range names {
			m[name] = notes
		}
		return m
	}
	both := func(notes []string, every string, names ...string) map[string][]string {
		m := all(every)
		for _, name := range names {
			m[name] = append(slices.Clone(notes), every)
		}
		return m
	}
	return []subscriberStep{
		{0, "+a", all("\x01a")},
		{0, "+a", only([]string{"\x01a"}, "verbose", "verboser", "manual")}, // twice by one
		{1, "+a", only([]string{"\x01a"}, "verbose", "verboser", "manual")},
		{1, "+ab", all("\x01ab")},
		{0, "-a", nil}, // it has another
		{0, "-a", only([]string{"\x00a"}, "verboser", "manual")},
		{1, "-a", all("\x00a")},
		{0, "+", all("\x01")},
		{0, "-", all("\x00")},
		{1, "leave", all("\x00ab")},
		{1, "join", all("\x01ab")},
		{0, "+ab", only([]string{"\x01ab"}, "verbose", "verboser", "manual")},
		// That it has left is only known when something is heard of it.
		{1, "+own", all("\x01own")},
		{1, "leave", both([]string{"\x00ab"}, "\x00own", "verboser", "manual")},
		{1, "join", both([]string{"\x01ab"}, "\x01own", "verbose", "verboser", "manual")},
		{1, "-own", all("\x00own")},
		{1, "-ab", only([]string{"\x00ab"}, "verboser", "manual")},
		{0, "-ab", all("\x00ab")},
	}
}

// Both XPUBs, ours and libzmq's, count the subscriptions of both XSUBs alike,
// duplicates and reconnects included.
func TestXPubCounts(t *testing.T) {
	py := startPython(t)
	for _, c := range counting {
		for _, who := range []string{"ours and ours", "ours and theirs", "theirs and ours", "theirs and theirs"} {
			t.Run(c.name+" "+who, func(t *testing.T) {
				var endpoint string
				var recv func() string
				if who[:4] == "ours" {
					x := open(t, msgcore.XPub, &msgcore.Options{Pub: c.ours})
					endpoint, recv = bindTo(t, x, anyPort), func() string { return recvText(t, x) }
				} else {
					x := py.open(t, "XPUB", c.py)
					endpoint, recv = x.bind(t, anyPort), func() string { return x.recv(t)[0] }
				}
				subs := []countedSub{}
				for range 2 {
					if who[len(who)-4:] == "ours" {
						subs = append(subs, newOurSub(t, endpoint))
					} else {
						subs = append(subs, newTheirSub(t, py, endpoint))
					}
				}
				for i, step := range xpubSteps() {
					sub := subs[step.who]
					switch step.do {
					case "leave":
						sub.leave()
						inAnyOrder(t, step.expect[c.name], recv, "step %d, %s", i, step.do)
						continue
					case "join":
						sub.join()
						inAnyOrder(t, step.expect[c.name], recv, "step %d, %s", i, step.do)
						continue
					default:
						kind := "\x01"
						if step.do[0] == '-' {
							kind = "\x00"
						}
						sub.send(kind + step.do[1:])
					}
					sub.send("\x01marker")
					sub.send("\x00marker")
					for _, want := range append(slices.Clone(step.expect[c.name]), "\x01marker", "\x00marker") {
						require.Equal(t, want, recv(), "step %d, %s", i, step.do)
					}
				}
			})
		}
	}
}

// inAnyOrder receives as many as are wanted, and compares.
func inAnyOrder(t *testing.T, want []string, recv func() string, message ...any) {
	t.Helper()
	var got []string
	for range want {
		got = append(got, recv())
	}
	require.ElementsMatch(t, want, got, message...)
}

// A countedSub is an XSUB of TestXPubCounts.
type countedSub struct {
	send        func(text string)
	leave, join func()
}

func newOurSub(t *testing.T, endpoint string) countedSub {
	s := open(t, msgcore.XSub, nil)
	require.NoError(t, s.Connect(endpoint))
	require.NoError(t, s.WaitPeers(limited(t), 1))
	return countedSub{
		func(text string) { sendTexts(t, s, text) },
		func() { require.NoError(t, s.Disconnect(endpoint)) },
		func() {
			require.NoError(t, s.Connect(endpoint))
			require.NoError(t, s.WaitPeers(limited(t), 1))
		},
	}
}

func newTheirSub(t *testing.T, py *python, endpoint string) countedSub {
	s := py.open(t, "XSUB", nil)
	s.do(t, "connect", endpoint)
	return countedSub{
		func(text string) { s.send(t, text) },
		func() { s.do(t, "disconnect", endpoint) },
		func() { s.do(t, "connect", endpoint) },
	}
}

// An XSUB with VerboseUnsubscribe passes on every end, for an XPUB that wants to
// hear of each.
func TestXSubVerboseUnsubscribe(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		xpub := open(t, msgcore.XPub, &msgcore.Options{Pub: msgcore.PubOptions{Verboser: true}})
		xsub := open(t, msgcore.XSub, &msgcore.Options{Sub: msgcore.SubOptions{VerboseUnsubscribe: true}})
		require.NoError(t, xsub.Connect(bindTo(t, xpub, ep)))
		for _, text := range []string{"\x01a", "\x01a", "\x00a", "\x00a", "\x00never"} {
			sendTexts(t, xsub, text)
			require.Equal(t, text, recvText(t, xpub))
		}
	})
}

// Of a message of several frames that begins with a subscription each frame
// counts by itself; in any other message bytes 0 and 1 mean nothing.
func TestSubscriptionsInFrames(t *testing.T) {
	py := startPython(t)
	schemes(t, func(t *testing.T, ep string) {
		xpub, xsub := open(t, msgcore.XPub, nil), open(t, msgcore.XSub, nil)
		require.NoError(t, xsub.Connect(bindTo(t, xpub, ep)))
		require.NoError(t, xsub.WaitPeers(limited(t), 1))
		senders := []func(...string){func(f ...string) { sendTexts(t, xsub, f...) }}
		if ep[:3] == "tcp" { // a libzmq that is told so does the same
			theirs := py.open(t, "XSUB", pyOptions{"ONLY_FIRST_SUBSCRIBE": 1})
			theirs.do(t, "connect", bindTo(t, xpub, ep))
			senders = append(senders, func(f ...string) { theirs.send(t, f...) })
		}
		for i, send := range senders {
			send("user", "\x01data", "\x00data")
			require.Equal(t, []string{"user", "\x01data", "\x00data"}, recvTexts(t, xpub))
			a, b := "\x01a"+string(rune('0'+i)), "\x01b"+string(rune('0'+i))
			send(a, b)
			require.Equal(t, []string{a}, recvTexts(t, xpub))
			require.Equal(t, []string{b}, recvTexts(t, xpub))
			send("\x00"+a[1:], "tail", "end")
			require.ElementsMatch(t, []string{"\x00" + a[1:], "tailend"}, []string{recvText(t, xpub), recvText(t, xpub)})
		}
		n, err := xsub.Topics()
		require.NoError(t, err)
		require.Equal(t, 1, n)
		sent, err := xsub.SendBatch(limited(t), []msgcore.Msg{
			{Frames: [][]byte{[]byte("\x01c"), []byte("\x01d"), []byte("rest")}},
			{Frames: [][]byte{[]byte("more")}},
		})
		require.NoError(t, err)
		require.Equal(t, 2, sent)
		var got []string
		for range 4 {
			got = append(got, recvText(t, xpub))
		}
		require.ElementsMatch(t, []string{"\x01c", "\x01d", "rest", "more"}, got)
	})
}

func TestTopics(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		pub, a, b := open(t, msgcore.Pub, nil), open(t, msgcore.Sub, nil), open(t, msgcore.XSub, nil)
		at := bindTo(t, pub, ep)
		for _, s := range []*msgcore.Socket{a, b} {
			require.NoError(t, s.Connect(at))
			require.NoError(t, s.Subscribe("x"))
			require.NoError(t, s.Subscribe("y"))
			require.NoError(t, s.Subscribe("y"))
		}
		require.NoError(t, a.Unsubscribe("y"))
		require.NoError(t, a.Unsubscribe("x"))
		require.NoError(t, a.Subscribe("z"))
		require.NoError(t, pub.WaitSubscribers(limited(t), 4))
		for s, want := range map[*msgcore.Socket]int{a: 2, b: 2, pub: 3} {
			require.Eventually(t, func() bool {
				n, err := s.Topics()
				return err == nil && n == want
			}, patience, 1e6)
		}
		require.NoError(t, a.Close())
		_, err := a.Topics()
		require.ErrorIs(t, err, net.ErrClosed)
	})
}
