package unique_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

func takeover(ticket byte) unique.Message {
	return unique.Message{Kind: unique.KindTakeover, AppVersion: "2", Ticket: [16]byte{ticket}}
}

func TestTakeover(t *testing.T) {
	on(t, nil, func(s *stage) { // of a primary that wants none
		s.say("new", takeover(0))
		refused := s.expect("new", unique.KindRefused)[0]
		require.EqualValues(t, unique.RefusedTakeover, refused.Code)
		s.srv.Invite([16]byte{7})
		s.say("new", takeover(8))
		s.expect("new", unique.KindRefused)
		require.Equal(t, unique.Booting, s.srv.State())

		s.say("a", request("waits"))
		s.say("new", takeover(7)) // it has started that one itself
		s.expect("a", unique.KindLeaving)
		require.EqualValues(t, 1000, s.expect("new", unique.KindLeaving)[0].Successor)
		<-s.srv.Begun()
		require.NoError(t, s.srv.Loss(), "that was its own will")
		s.say("b", hello)
		w := s.expect("b", unique.KindWelcome)[0]
		require.Equal(t, unique.Leaving, w.State)
		require.EqualValues(t, 1000, w.Successor)
		s.say("b", request("x"))
		require.EqualValues(t, 1000, s.expect("b", unique.KindLeaving)[0].Successor)
		s.say("second", takeover(7))
		s.expect("second", unique.KindRefused)
		s.gone("new")
		s.say("b", hello)
		require.Zero(t, s.expect("b", unique.KindWelcome)[0].Successor)
		require.EqualValues(t, 2, s.srv.Stats().SentOn-1)
	})
	on(t, &unique.Options{AllowReplace: true}, func(s *stage) {
		s.say("a", request("waits"))
		s.say("a", takeover(0)) // while it waits for something else
		s.expect("a", unique.KindRefused)
		s.say("new", hello)
		s.say("new", takeover(0))
		s.expect("new", unique.KindWelcome, unique.KindLeaving)
		<-s.srv.Lost()
		var by *unique.ReplacedError
		require.ErrorAs(t, s.srv.Loss(), &by)
		require.Equal(t, unique.Peer{PID: 1000, UID: 1000, GID: 100, Version: "2"}, by.By)
	})
}
