package msgcore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// A libzmq peer with a routing id that is in use is kept out until that is free, or
// takes it over, as Options.Router.Handover says; messages to nobody are counted.
func TestRouterIDsLibzmq(t *testing.T) {
	py := startPython(t)
	for _, handover := range []bool{false, true} {
		ro, w := watched(msgcore.Options{Router: msgcore.RouterOptions{Handover: handover}})
		router := open(t, msgcore.Router, ro)
		at := bindTo(t, router, anyPort)
		first := py.open(t, "DEALER", pyOptions{"ROUTING_ID": "me", "RECONNECT_IVL": -1})
		second := py.open(t, "DEALER", pyOptions{"ROUTING_ID": "me", "RECONNECT_IVL": 10})
		first.do(t, "connect", at)
		first.send(t, "first")
		require.Equal(t, []string{"me", "first"}, recvTexts(t, router))
		second.do(t, "connect", at)
		owner, text := first, "to the first"
		if handover {
			second.send(t, "second")
			require.Equal(t, []string{"me", "second"}, recvTexts(t, router))
			owner, text = second, "to the second"
		} else {
			w.times(t, 3, msgcore.HandshakeFailed)
		}
		sendTexts(t, router, "me", text)
		require.Equal(t, []string{text}, owner.recv(t))
		sendTexts(t, router, "nobody", "lost")
		require.EqualValues(t, 1, router.Stats().DroppedUnroutable)
		if !handover {
			first.do(t, "disconnect", at)
			second.send(t, "patient")
			require.Equal(t, []string{"me", "patient"}, recvTexts(t, router))
		}
	}
}

// A REP keeps envelopes of any length, and frames of any size in them.
func TestRepLongEnvelopes(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		rep, dealer := msgcore.NewRep(nil), msgcore.NewDealer(nil)
		pair(t, rep, dealer, ep)
		for _, n := range []int{0, 1, 2, 255, 5000} {
			var envelope []string
			for i := range n {
				envelope = append(envelope, fmt.Sprint("hop", i))
			}
			if n == 2 {
				envelope[1] = string(make([]byte, 100<<10))
			}
			envelope = append(envelope, "")
			sendTexts(t, dealer, append(envelope, "question", "")...)
			require.Equal(t, []string{"question", ""}, recvTexts(t, rep))
			sendTexts(t, rep, "", "answer")
			require.Equal(t, append(envelope, "", "answer"), recvTexts(t, dealer))
		}
	})
}
