package msgcore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

var conflating = &msgcore.Options{Conflate: true}

// replaced waits until s has dropped n messages for newer ones.
func replaced(t testing.TB, s *msgcore.Socket, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return s.Stats().DroppedReplaced == uint64(n) }, patience, 1e6)
}

// conflated are messages of all sizes and numbers of frames.
func conflated(i int) []string {
	m := []string{fmt.Sprint(i), string(make([]byte, i*i*100)), "tail"}
	return m[:1+i%3]
}

// What waits for a connection is the last message, whole.
func TestConflateSends(t *testing.T) {
	for _, typ := range []msgcore.Type{msgcore.Push, msgcore.Dealer} {
		schemes(t, func(t *testing.T, ep string) {
			to := open(t, counterpart[typ], nil)
			at := bindTo(t, to, ep)
			require.NoError(t, to.Unbind(at))
			s := open(t, typ, conflating)
			require.NoError(t, s.Connect(at))
			for i := range 20 {
				sendTexts(t, s, conflated(i)...)
			}
			require.EqualValues(t, 19, s.Stats().DroppedReplaced)
			n, err := s.SendBatch(limited(t), []msgcore.Msg{
				{Frames: [][]byte{[]byte("batched")}}, {Frames: [][]byte{[]byte("last"), make([]byte, 50<<10)}},
			})
			require.NoError(t, err)
			require.Equal(t, 2, n)
			require.EqualValues(t, 21, s.Stats().DroppedReplaced)
			require.Eventually(t, func() bool { _, err := to.Bind(limited(t), at); return err == nil }, patience, 1e6)
			got := recvTexts(t, to)
			require.Equal(t, []string{"last", string(make([]byte, 50<<10))}, got[len(got)-2:])
			require.NoError(t, s.Close(), "nothing else is left")
		})
	}
}

// toConflating returns a socket of type from at ep, and one that receives from it and
// keeps the last message only.
func toConflating(t *testing.T, from msgcore.Type, ep string) (out, s *msgcore.Socket) {
	t.Helper()
	out, s = open(t, from, nil), open(t, counterpart[from], conflating)
	if from == msgcore.Pub {
		require.NoError(t, s.Subscribe(""))
	}
	require.NoError(t, s.Connect(bindTo(t, out, ep)))
	require.NoError(t, out.WaitPeers(limited(t), 1))
	if from == msgcore.Pub {
		require.NoError(t, out.WaitSubscribers(limited(t), 1))
	}
	return out, s
}

// A receiver gets the last message that has come, whole, and then waits.
func TestConflateReceives(t *testing.T) {
	for _, typ := range []msgcore.Type{msgcore.Pull, msgcore.Dealer, msgcore.Sub} {
		schemes(t, func(t *testing.T, ep string) {
			out, s := toConflating(t, counterpart[typ], ep)
			for range 3 {
				before := int(s.Stats().DroppedReplaced)
				for i := range 20 {
					sendTexts(t, out, conflated(i)...)
				}
				replaced(t, s, before+19)
				require.Equal(t, conflated(19), recvTexts(t, s))
				_, ok, err := s.TryRecv()
				require.NoError(t, err)
				require.False(t, ok)
			}
		})
	}
}

// Short messages go into queues by a way of their own, one by one and as batches.
func TestConflateReceivesShort(t *testing.T) {
	for _, from := range []msgcore.Type{msgcore.Push, msgcore.Dealer, msgcore.Pub} {
		schemes(t, func(t *testing.T, ep string) {
			out, s := toConflating(t, from, ep)
			for i := range 50 {
				sendTexts(t, out, fmt.Sprint(i))
			}
			replaced(t, s, 49)
			require.Equal(t, []string{"49"}, recvTexts(t, s))
			batch := make([]msgcore.Msg, 50)
			for i := range batch {
				batch[i].Frames = [][]byte{fmt.Append(nil, i)}
			}
			_, err := out.SendBatch(limited(t), batch)
			require.NoError(t, err)
			replaced(t, s, 98)
			require.Equal(t, []string{"49"}, recvTexts(t, s))
			_, ok, err := s.TryRecv()
			require.NoError(t, err)
			require.False(t, ok)
		})
	}
}

// Subscribers of a PUB each get the last, a slow one too.
func TestConflatePub(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		pub, a, b := open(t, msgcore.Pub, conflating), open(t, msgcore.Sub, conflating), open(t, msgcore.Sub, nil)
		at := bindTo(t, pub, ep)
		for _, s := range []*msgcore.Socket{a, b} {
			require.NoError(t, s.Subscribe(""))
			require.NoError(t, s.Connect(at))
		}
		require.NoError(t, pub.WaitSubscribers(limited(t), 2))
		for i := range 100 {
			sendTexts(t, pub, fmt.Sprint(i), string(make([]byte, i*500)))
		}
		for _, s := range []*msgcore.Socket{a, b} {
			for {
				if f := recvTexts(t, s); f[0] == "99" {
					require.Len(t, f[1], 99*500)
					break
				}
			}
		}
	})
}

func TestConflateLibzmq(t *testing.T) {
	py := startPython(t)
	push, pull := py.open(t, "PUSH", nil), open(t, msgcore.Pull, conflating)
	push.do(t, "connect", bindTo(t, pull, anyPort))
	for i := range 100 {
		push.send(t, fmt.Sprint(i))
	}
	replaced(t, pull, 99)
	require.Equal(t, []string{"99"}, recvTexts(t, pull))

	theirs, ours := py.open(t, "PULL", pyOptions{"CONFLATE": 1}), open(t, msgcore.Push, conflating)
	require.NoError(t, ours.Connect(theirs.bind(t, anyPort)))
	for i := range 100 {
		sendTexts(t, ours, fmt.Sprint(i))
	}
	for {
		if theirs.recv(t)[0] == "99" {
			break
		}
	}
}
