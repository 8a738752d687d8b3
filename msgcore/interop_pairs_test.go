package msgcore_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// The pairs of types in which one side has to know of the other's envelope, over
// tcp and ipc, bound on either side.
func TestInteropEnvelopes(t *testing.T) {
	py := startPython(t)
	for _, c := range envelopePairs {
		for _, scheme := range []string{"tcp", "ipc"} {
			for _, weBind := range []bool{true, false} {
				t.Run(fmt.Sprintf("%v and %s/%s/we bind %v", c.ours, c.theirs, scheme, weBind), func(t *testing.T) {
					o := &msgcore.Options{RoutingID: "we"}
					o.Router.Mandatory = c.ours == msgcore.Router
					if c.ours == msgcore.Rep {
						o.RoutingID = ""
					}
					ours, theirs := open(t, c.ours, o), py.open(t, c.theirs, pyOptions{"IDENTITY": "they"})
					endpoint := anyPort
					if scheme == "ipc" {
						endpoint = unused(t, "ipc")
					}
					if weBind {
						theirs.do(t, "connect", bindTo(t, ours, endpoint))
					} else {
						require.NoError(t, ours.Connect(theirs.bind(t, endpoint)))
					}
					require.NoError(t, ours.WaitPeers(limited(t), 1))
					for i := range 10 {
						c.talk(t, ours, theirs, fmt.Sprint(i))
					}
				})
			}
		}
	}
}

// An envelopePair says which frames each side sees and says before the body.
type envelopePair struct {
	ours   msgcore.Type
	theirs string
	we     []string
	they   []string
}

var envelopePairs = []envelopePair{
	{msgcore.Dealer, "REP", []string{""}, nil},
	{msgcore.Rep, "DEALER", nil, []string{""}},
	{msgcore.Router, "ROUTER", []string{"they"}, []string{"we"}},
	{msgcore.Dealer, "ROUTER", nil, []string{"we"}},
	{msgcore.Router, "DEALER", []string{"they"}, nil},
}

// Every pair of types that may talk to each other is among those that are tested
// with libzmq.
func TestInteropEveryLegalPair(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range combinations {
		tested[fmt.Sprint(c.ours, "-", c.theirs)] = true
	}
	for _, c := range envelopePairs {
		tested[fmt.Sprint(c.ours, "-", c.theirs)] = true
	}
	for _, ours := range classicTypes {
		for _, theirs := range classicTypes {
			pair := fmt.Sprint(ours, "-", theirs)
			require.Equal(t, ours.Peers(theirs), tested[pair], pair)
		}
	}
}

func (c envelopePair) talk(t *testing.T, ours *msgcore.Socket, theirs *pySocket, body string) {
	t.Helper()
	there := func() {
		sendTexts(t, ours, append(slices.Clone(c.we), body)...)
		require.Equal(t, append(slices.Clone(c.they), body), theirs.recv(t))
	}
	back := func() {
		theirs.send(t, append(slices.Clone(c.they), body)...)
		require.Equal(t, append(slices.Clone(c.we), body), recvTexts(t, ours))
	}
	if c.ours == msgcore.Rep { // which speaks when it is spoken to
		back()
		there()
		return
	}
	there()
	back()
}
