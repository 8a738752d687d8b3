package msgcore_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// texts returns the frames of m as strings.
func texts(m msgcore.Msg) []string {
	list := []string{}
	for _, f := range m.Frames {
		list = append(list, string(f))
	}
	return list
}

// recvTexts receives one message.
func recvTexts(t testing.TB, s *msgcore.Socket) []string {
	t.Helper()
	m, err := s.Recv(limited(t))
	require.NoError(t, err)
	return texts(m)
}

func sendTexts(t testing.TB, s *msgcore.Socket, frames ...string) {
	t.Helper()
	b := make([][]byte, len(frames))
	for i, f := range frames {
		b[i] = []byte(f)
	}
	require.NoError(t, s.Send(limited(t), b...))
}

// A REP returns whatever stands before the empty frame, and does not see it.
func TestInteropRepKeepsEnvelopes(t *testing.T) {
	py := startPython(t)
	rep := open(t, msgcore.Rep, nil)
	dealer := py.open(t, "DEALER", nil)
	dealer.do(t, "connect", bindTo(t, rep, anyPort))

	for _, envelope := range [][]string{{""}, {"id", ""}, {"id", "more", ""}} {
		dealer.send(t, append(envelope, "question", "", "tail")...)
		require.Equal(t, []string{"question", "", "tail"}, recvTexts(t, rep))
		sendTexts(t, rep, "answer", "")
		require.Equal(t, append(envelope, "answer", ""), dealer.recv(t))
	}

	// What has no envelope, or nothing behind it, is dropped.
	dealer.send(t, "no delimiter")
	dealer.send(t, "id", "")
	dealer.send(t, "", "good")
	require.Equal(t, []string{"good"}, recvTexts(t, rep))
	sendTexts(t, rep, "answered")
	require.Equal(t, []string{"", "answered"}, dealer.recv(t))

	// Several at once are answered in any order.
	var asked []msgcore.Msg
	for i := range 5 {
		dealer.send(t, fmt.Sprint("id", i), "", fmt.Sprint(i))
	}
	for range 5 {
		m, err := rep.Recv(limited(t))
		require.NoError(t, err)
		require.Equal(t, "DEALER", m.Peer().Type)
		asked = append(asked, m)
	}
	require.ErrorIs(t, rep.Send(limited(t), []byte("which?")), msgcore.ErrState)
	for i := 4; i >= 0; i-- {
		require.NoError(t, asked[i].Reply(limited(t), asked[i].Frames...))
		require.Equal(t, []string{fmt.Sprint("id", i), "", fmt.Sprint(i)}, dealer.recv(t))
	}
}

// Request finds its reply behind a libzmq REP, which keeps envelopes, and a
// ROUTER that returns messages as they came.
func TestInteropRequest(t *testing.T) {
	py := startPython(t)
	for _, theirs := range []string{"REP", "ROUTER"} {
		for _, ours := range []msgcore.Type{msgcore.Req, msgcore.Dealer} {
			t.Run(fmt.Sprintf("%v to %s", ours, theirs), func(t *testing.T) {
				server := py.open(t, theirs, nil)
				s := open(t, ours, nil)
				require.NoError(t, s.Connect(server.bind(t, anyPort)))
				server.start(t, "serve")
				var wg sync.WaitGroup
				errs := make(chan error, 20)
				for i := range 20 {
					wg.Add(1)
					go func() {
						defer wg.Done()
						for j := range 20 {
							want := fmt.Sprintf("%d %d", i, j)
							m, err := s.Request(limited(t), []byte(want), nil)
							if err == nil && (len(m.Frames) != 2 || string(m.Frames[0]) != want) {
								err = fmt.Errorf("got %q, want %q", m.Frames, want)
							}
							if err == nil && m.Peer().Type != theirs {
								err = fmt.Errorf("the peer is said to be %+v", m.Peer())
							}
							if err != nil {
								errs <- err
								return
							}
							m.Release()
						}
					}()
				}
				wg.Wait()
				close(errs)
				for err := range errs {
					require.NoError(t, err)
				}
				if ours == msgcore.Req { // the lockstep is untouched
					sendTexts(t, s, "plain")
					require.Equal(t, []string{"plain"}, recvTexts(t, s))
				}
			})
		}
	}
}

// A libzmq subscriber changes its mind while we publish.
func TestInteropTheySubscribe(t *testing.T) {
	py := startPython(t)
	for _, theirs := range []string{"SUB", "XSUB"} {
		t.Run(theirs, func(t *testing.T) {
			pub := open(t, msgcore.Pub, nil)
			sub := py.open(t, theirs, nil)
			change := func(on bool, topic string) {
				switch {
				case theirs == "XSUB" && on:
					sub.send(t, "\x01"+topic)
				case theirs == "XSUB":
					sub.send(t, "\x00"+topic)
				case on:
					sub.do(t, "set", "SUBSCRIBE", topic)
				default:
					sub.do(t, "set", "UNSUBSCRIBE", topic)
				}
			}
			sub.do(t, "connect", bindTo(t, pub, anyPort))
			publish := func() {
				for _, topic := range []string{"a1", "b1", "c1", "end"} {
					sendTexts(t, pub, topic, "body")
				}
			}
			heard := func() (topics []string) {
				for {
					m := sub.recv(t)
					require.Equal(t, "body", m[1])
					if m[0] == "end" {
						return topics
					}
					topics = append(topics, m[0])
				}
			}
			change(true, "end")
			change(true, "a")
			require.NoError(t, pub.WaitSubscribers(limited(t), 2))
			publish()
			require.Equal(t, []string{"a1"}, heard())
			change(true, "b")
			require.NoError(t, pub.WaitSubscribers(limited(t), 3))
			publish()
			require.Equal(t, []string{"a1", "b1"}, heard())
			change(false, "a")
			change(true, "c") // comes after it
			change(true, "d")
			require.NoError(t, pub.WaitSubscribers(limited(t), 4))
			publish()
			require.Equal(t, []string{"b1", "c1"}, heard())
			sub.do(t, "close")
		})
	}
}

// We change our mind while a libzmq publisher is there, which is told of the
// first subscription to a topic and of the last one's end.
func TestInteropWeSubscribe(t *testing.T) {
	py := startPython(t)
	sub := open(t, msgcore.Sub, nil)
	require.NoError(t, sub.Subscribe("early"))
	xpub := py.open(t, "XPUB", nil)
	require.NoError(t, sub.Connect(xpub.bind(t, anyPort)))
	require.Equal(t, []string{"\x01early"}, xpub.recv(t))
	for range 3 {
		require.NoError(t, sub.Subscribe("late"))
	}
	require.Equal(t, []string{"\x01late"}, xpub.recv(t))
	xpub.send(t, "early 1", "x")
	xpub.send(t, "other")
	xpub.send(t, "late 1")
	require.Equal(t, []string{"early 1", "x"}, recvTexts(t, sub))
	require.Equal(t, []string{"late 1"}, recvTexts(t, sub))
	for range 3 {
		require.NoError(t, sub.Unsubscribe("late"))
	}
	require.Equal(t, []string{"\x00late"}, xpub.recv(t))
	xpub.send(t, "late 2")
	xpub.send(t, "early 2")
	require.Equal(t, []string{"early 2"}, recvTexts(t, sub))
}

// Routing ids are seen on either side.
func TestInteropRoutingIDs(t *testing.T) {
	py := startPython(t)
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run("ours/"+scheme, func(t *testing.T) {
			endpoint := anyPort
			if scheme == "ipc" {
				endpoint = unused(t, "ipc")
			}
			router := py.open(t, "ROUTER", pyOptions{"ROUTER_MANDATORY": 1})
			dealer := open(t, msgcore.Dealer, &msgcore.Options{RoutingID: "our id"})
			require.NoError(t, dealer.Connect(router.bind(t, endpoint)))
			sendTexts(t, dealer, "hello")
			require.Equal(t, []string{"our id", "hello"}, router.recv(t))
			router.send(t, "our id", "", "back")
			m, err := dealer.Recv(limited(t))
			require.NoError(t, err)
			require.Equal(t, []string{"", "back"}, texts(m))
			require.Equal(t, "ROUTER", m.Peer().Type)
		})
		t.Run("theirs/"+scheme, func(t *testing.T) {
			endpoint := anyPort
			if scheme == "ipc" {
				endpoint = unused(t, "ipc")
			}
			router := open(t, msgcore.Router, &msgcore.Options{Router: msgcore.RouterOptions{Mandatory: true}})
			endpoint = bindTo(t, router, endpoint)
			named := py.open(t, "DEALER", pyOptions{"IDENTITY": "their id"})
			named.do(t, "connect", endpoint)
			require.NoError(t, router.WaitPeers(limited(t), 1))
			sendTexts(t, router, "their id", "first") // before it has said a word
			require.Equal(t, []string{"first"}, named.recv(t))

			unnamed := py.open(t, "REQ", nil)
			unnamed.do(t, "connect", endpoint)
			unnamed.send(t, "question")
			m, err := router.Recv(limited(t))
			require.NoError(t, err)
			require.Equal(t, "REQ", m.Peer().Type)
			require.Len(t, m.Frames[0], 5)
			require.Zero(t, m.Frames[0][0])
			require.Equal(t, []string{"", "question"}, texts(m)[1:])
			require.Equal(t, string(m.Frames[0]), m.Peer().RoutingID)
			require.NoError(t, m.Reply(limited(t), []byte("answer")))
			require.Equal(t, []string{"answer"}, unnamed.recv(t))
			require.ErrorIs(t, router.Send(limited(t), []byte("nobody"), []byte("x")), msgcore.ErrUnroutable)
		})
	}
}

// Two libzmq peers share the work of a PUSH evenly, and a REQ and a PUSH of
// libzmq that came before our server find it.
func TestInteropEarlyPeers(t *testing.T) {
	py := startPython(t)
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			endpoint := unused(t, scheme)
			req := py.open(t, "REQ", nil)
			req.do(t, "connect", endpoint)
			req.send(t, "early")
			rep := open(t, msgcore.Rep, nil)
			bindTo(t, rep, endpoint)
			require.Equal(t, []string{"early"}, recvTexts(t, rep))
			sendTexts(t, rep, "found")
			require.Equal(t, []string{"found"}, req.recv(t))
		})
	}
	t.Run("even", func(t *testing.T) {
		push := open(t, msgcore.Push, &msgcore.Options{Linger: patience})
		endpoint := bindTo(t, push, anyPort)
		a, b := py.open(t, "PULL", nil), py.open(t, "PULL", nil)
		a.do(t, "connect", endpoint)
		b.do(t, "connect", endpoint)
		require.NoError(t, push.WaitPeers(limited(t), 2))
		for i := range 40 {
			sendTexts(t, push, fmt.Sprint(i))
		}
		for range 20 {
			a.recv(t)
			b.recv(t)
		}
	})
}
