package msgcore_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// requesting starts a Request.
func requesting(t *testing.T, s *msgcore.Socket, body []byte) <-chan error {
	done := make(chan error, 1)
	go func() {
		m, err := s.Request(limited(t), body)
		if err == nil && string(m.Bytes()) != "reply" {
			err = fmt.Errorf("got %q", m.Bytes())
		}
		done <- err
	}()
	return done
}

func onRequesters(t *testing.T, f func(t *testing.T, s *msgcore.Socket, ep string)) {
	for _, typ := range []msgcore.Type{msgcore.Req, msgcore.Dealer} {
		t.Run(typ.String(), func(t *testing.T) {
			schemes(t, func(t *testing.T, ep string) { f(t, open(t, typ, nil), ep) })
		})
	}
}

// Requests whose connection breaks learn it at once, all of them, whichever side
// has bound; the socket goes on with the next connection.
func TestRequestLost(t *testing.T) {
	onRequesters(t, func(t *testing.T, s *msgcore.Socket, ep string) {
		at, bind := later(t, ep)
		require.NoError(t, s.Connect(at))
		for range 2 {
			rep := open(t, msgcore.Rep, nil)
			bind(rep)
			var calls []<-chan error
			for range 5 {
				calls = append(calls, requesting(t, s, []byte("request")))
			}
			for range 5 {
				recvTexts(t, rep)
			}
			require.NoError(t, rep.Close())
			for _, c := range calls {
				require.ErrorIs(t, <-c, msgcore.ErrNoReply)
			}
		}
		require.NoError(t, s.Disconnect(at))
		rep := open(t, msgcore.Rep, nil)
		require.NoError(t, rep.Connect(bindTo(t, s, at)))
		c := requesting(t, s, []byte("request"))
		recvTexts(t, rep)
		require.NoError(t, rep.Close())
		require.ErrorIs(t, <-c, msgcore.ErrNoReply)
	})
}

// A reply that has come before the end of its connection counts.
func TestRequestRepliedAndClosed(t *testing.T) {
	onRequesters(t, func(t *testing.T, s *msgcore.Socket, ep string) {
		at, bind := later(t, ep)
		require.NoError(t, s.Connect(at))
		for range 3 {
			rep := open(t, msgcore.Rep, nil)
			bind(rep)
			c := requesting(t, s, []byte("request"))
			recvTexts(t, rep)
			sendTexts(t, rep, "reply")
			require.NoError(t, rep.Close())
			require.NoError(t, <-c)
			require.Eventually(t, func() bool { return !hasPeers(s) }, patience, 1e6)
		}
	})
}

// A request that waits for its connection is sent on the next one; so is one that
// a connection has cut.
func TestRequestWaits(t *testing.T) {
	onRequesters(t, func(t *testing.T, s *msgcore.Socket, ep string) {
		at, bind := later(t, ep)
		require.NoError(t, s.Connect(at))
		c := requesting(t, s, []byte("early"))
		rep := open(t, msgcore.Rep, nil)
		bind(rep)
		require.Equal(t, []string{"early"}, recvTexts(t, rep))
		sendTexts(t, rep, "reply")
		require.NoError(t, <-c)
	})
	for _, typ := range []msgcore.Type{msgcore.Req, msgcore.Dealer} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s := open(t, typ, &msgcore.Options{Transport: smallBuffers})
		require.NoError(t, s.Connect("tcp://"+l.Addr().String()))
		conn, err := l.Accept()
		require.NoError(t, err)
		greet(t, conn, "ROUTER")
		written := requesting(t, s, []byte("written"))
		require.Eventually(t, func() bool { return len(s.Pending()) == 0 }, patience, 1e6)
		buf := make([]byte, 1)
		_, err = conn.Read(buf) // it is written
		require.NoError(t, err)
		large := requesting(t, s, make([]byte, 1<<20))
		_, err = conn.Read(buf)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(s.Pending()) == 1 }, patience, 1e6)
		at := l.Addr().String()
		require.NoError(t, l.Close())
		require.NoError(t, conn.Close())
		require.ErrorIs(t, <-written, msgcore.ErrNoReply)

		rep := open(t, msgcore.Rep, nil)
		require.Eventually(t, func() bool { _, err := rep.Bind(limited(t), "tcp://"+at); return err == nil }, patience, 1e6)
		require.Len(t, recvTexts(t, rep)[0], 1<<20)
		sendTexts(t, rep, "reply")
		require.NoError(t, <-large)
	}
}

// Disconnect gives up what waits, and Close says that it was Close.
func TestRequestGivenUp(t *testing.T) {
	onRequesters(t, func(t *testing.T, s *msgcore.Socket, ep string) {
		at, _ := later(t, ep)
		require.NoError(t, s.Connect(at))
		c := requesting(t, s, []byte("dropped"))
		require.Eventually(t, func() bool { return len(s.Pending()) == 1 }, patience, 1e6)
		require.NoError(t, s.Disconnect(at))
		require.ErrorIs(t, <-c, msgcore.ErrNoReply)
	})
	s := open(t, msgcore.Req, &msgcore.Options{Linger: msgcore.Discard})
	at, _ := later(t, anyPort)
	require.NoError(t, s.Connect(at))
	c := requesting(t, s, []byte("closed"))
	require.Eventually(t, func() bool { return len(s.Pending()) == 1 }, patience, 1e6)
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-c, net.ErrClosed)
}
