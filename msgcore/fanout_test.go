package msgcore_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// One PUB, and one RADIO, reach subscribers over every transport at once. Each
// of them owns what it receives: to overwrite it changes nothing for others, and
// a message that was given away is the same for all.
func TestFanOut(t *testing.T) {
	for _, typ := range []msgcore.Type{msgcore.Pub, msgcore.XPub, msgcore.Radio} {
		for _, given := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/given away %v", typ, given), func(t *testing.T) {
				fanOut(t, typ, given)
			})
		}
	}
}

func fanOut(t *testing.T, typ msgcore.Type, given bool) {
	const count = 24
	pub := open(t, typ, &msgcore.Options{SendHWM: -1})
	var subs []*msgcore.Socket
	for _, endpoint := range []string{anyPort, unused(t, "ipc"), "inproc://" + t.Name()} {
		bound := bindTo(t, pub, endpoint)
		for range 2 {
			s := open(t, counterpart[typ], nil)
			wantAll(t, s)
			require.NoError(t, s.Connect(bound))
			subs = append(subs, s)
		}
	}
	ctx := limited(t)
	require.NoError(t, pub.WaitSubscribers(ctx, len(subs)))

	// What is sent comes out of another socket, so that it can be given away
	// with its buffers.
	in, out := open(t, msgcore.Pull, nil), open(t, msgcore.Push, nil)
	require.NoError(t, out.Connect(bindTo(t, in, anyPort)))
	sizes := []int{0, 1, 255, 256, 8192, 8193, 20000, 300000}
	body := func(i int) []byte { return bytes.Repeat([]byte{byte(i + 1)}, sizes[i%len(sizes)]) }
	heard := make(chan error, len(subs))
	for _, s := range subs {
		go func() {
			for i := range count {
				m, err := s.Recv(ctx)
				if err == nil && (len(m.Frames) != 2 || string(m.Frames[0]) != "group" || !bytes.Equal(m.Frames[1], body(i))) {
					err = fmt.Errorf("message %d is not what was sent", i)
				}
				if err != nil {
					heard <- err
					return
				}
				for _, f := range m.Frames {
					for j := range f {
						f[j] = 0xEE
					}
				}
				if i%2 == 0 {
					m.Release()
				}
			}
			heard <- nil
		}()
	}
	for i := range count {
		require.NoError(t, out.Send(ctx, []byte("group"), body(i)))
		m, err := in.Recv(ctx)
		require.NoError(t, err)
		if given {
			require.NoError(t, pub.SendMsg(ctx, m))
			continue
		}
		require.NoError(t, pub.Send(ctx, m.Frames...))
		for j := range m.Frames[1] {
			m.Frames[1][j] = 0xDD // it was copied
		}
		m.Release()
	}
	for range subs {
		require.NoError(t, <-heard)
	}
	require.Zero(t, pub.Stats().DroppedFull)
}

// A subscriber that does not read loses messages, which are counted; the others
// get them all.
func TestFanOutPastASlowSubscriber(t *testing.T) {
	pub := open(t, msgcore.Pub, &msgcore.Options{SendHWM: 2, Linger: msgcore.Discard})
	bound := bindTo(t, pub, anyPort)
	slow := rawHandshake(t, bound, "SUB")
	slow.send(t, command("\x09SUBSCRIBE")...)
	s := open(t, msgcore.Sub, nil)
	wantAll(t, s)
	require.NoError(t, s.Connect(bound))
	ctx := limited(t)
	require.NoError(t, pub.WaitSubscribers(ctx, 2))
	body := make([]byte, 1<<20) // more than the kernel takes of all
	const count = 40
	for i := range count {
		body[0], body[1] = byte(i), byte(i>>8)
		require.NoError(t, pub.Send(ctx, body))
		m, err := s.Recv(ctx)
		require.NoError(t, err)
		require.Equal(t, body[:2], m.Frames[0][:2])
		m.Release()
	}
	require.Positive(t, pub.Stats().DroppedFull)
}
