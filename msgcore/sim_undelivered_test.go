package msgcore_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// Of what was written to a connection that breaks exactly that is counted as
// undelivered which the peer has not read, whatever protects the frames.
func TestSimUndelivered(t *testing.T) {
	public, secret, err := curve.GenerateKey()
	require.NoError(t, err)
	_, own, err := curve.GenerateKey()
	require.NoError(t, err)
	for _, c := range []struct {
		name         string
		server, dial zmtp.Mechanism
	}{
		{"NULL", nil, nil},
		{"MASK", maskMechanism{}, maskMechanism{}},
		{"CURVE", curve.Server(secret), curve.Client(own, public)},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulate(t, func(t *testing.T, n *sim) {
				pull, push := n.pair(t, msgcore.Pull, msgcore.Push, msgcore.Options{Mechanism: c.server}, msgcore.Options{Mechanism: c.dial})
				for i := range 5 {
					sendTexts(t, push, fmt.Sprint(i), strings.Repeat("x", 5000*i))
				}
				synctest.Wait()
				require.Zero(t, push.Stats().DroppedUndelivered)
				n.link.Cut()
				for range 3 {
					sendTexts(t, push, "into the void")
				}
				synctest.Wait()
				require.EqualValues(t, 8, push.Stats().MessagesOut)
				require.Zero(t, push.Stats().DroppedUndelivered, "it may get there yet")
				n.link.Reset()
				synctest.Wait()
				require.EqualValues(t, 3, push.Stats().DroppedUndelivered)
				require.EqualValues(t, 3, push.PeerStats()[0].DroppedUndelivered)
				n.link.Mend()
				require.NoError(t, push.WaitPeers(t.Context(), 1))

				// Many messages in one write, of which a part arrives.
				n.link.SetBandwidth(1000)
				var batch []msgcore.Msg
				for range 40 {
					batch = append(batch, msgcore.Msg{Frames: [][]byte{make([]byte, 500)}})
				}
				_, err := push.SendBatch(t.Context(), batch)
				require.NoError(t, err)
				time.Sleep(10 * time.Second)
				n.link.Reset()
				n.link.SetBandwidth(0)
				require.NoError(t, push.WaitPeers(t.Context(), 1))
				time.Sleep(time.Minute)
				require.NoError(t, push.Close())
				s, r := push.Stats(), pull.Stats()
				require.Greater(t, s.DroppedUndelivered, uint64(3))
				require.Greater(t, r.MessagesIn, uint64(5))
				require.EqualValues(t, 48, s.MessagesOut)
				require.Equal(t, s.MessagesOut, r.MessagesIn+s.DroppedUndelivered)
				require.Zero(t, s.InDoubt)
			})
		})
	}
}

// A drop of which nothing can be known before the peer ends is counted then.
func TestSimUndeliveredLater(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		push, w := at(t, n.server, msgcore.Push, msgcore.Options{Linger: msgcore.Discard})
		bindTo(t, push, simBind)
		c, _ := n.raw(t, "PULL")
		require.NoError(t, push.WaitPeers(t.Context(), 1))
		for range 3 {
			sendTexts(t, push, "12345678") // 10 bytes each
		}
		synctest.Wait()
		require.NoError(t, push.Close())
		require.Zero(t, push.Stats().DroppedUndelivered)
		_, err := io.ReadFull(c, make([]byte, 19))
		require.NoError(t, err)
		require.Zero(t, push.Stats().DroppedUndelivered)
		require.NoError(t, c.Close())
		s := push.Stats()
		require.EqualValues(t, 3, s.MessagesOut)
		require.EqualValues(t, 2, s.DroppedUndelivered)
		require.Zero(t, s.InDoubt)
		require.Empty(t, w.kindsOf(msgcore.MessagesDropped), "it was closed before")
	})
}

// A peer of ZMTP 1.0, and one without ZMTP, read other bytes than those that are
// counted.
func TestSimUndeliveredInOtherFraming(t *testing.T) {
	t.Run("1.0", func(t *testing.T) {
		simulate(t, func(t *testing.T, n *sim) {
			push, w := at(t, n.server, msgcore.Push, msgcore.Options{})
			bindTo(t, push, simBind)
			p := &oldPeer{Conn: n.dial(t), version: 1}
			p.greet(t, msgcore.Pull, msgcore.Push, "", "")
			require.NoError(t, push.WaitPeers(t.Context(), 1))
			long := strings.Repeat("x", 254)
			sendTexts(t, push, "a", long)
			sendTexts(t, push, "b", "")
			sendTexts(t, push, "c")
			sendTexts(t, push, "d")
			synctest.Wait()
			p.wantMessage(t, "a", long)
			p.wantMessage(t, "b", "")
			require.NoError(t, p.Close())
			w.happens(1, msgcore.Disconnected)
			require.EqualValues(t, 2, push.Stats().DroppedUndelivered)
			require.Equal(t, msgcore.DropUndelivered, w.happens(1, msgcore.MessagesDropped).Cause)
		})
	})
	t.Run("STREAM", func(t *testing.T) {
		simulate(t, func(t *testing.T, n *sim) {
			stream, w := at(t, n.server, msgcore.Stream, msgcore.Options{})
			bindTo(t, stream, simBind)
			c := n.dial(t)
			id := recvTexts(t, stream)[0]
			for _, piece := range []string{"one", "two", "three"} {
				sendTexts(t, stream, id, piece)
			}
			_, err := io.ReadFull(c, make([]byte, 8)) // the last one but in part
			require.NoError(t, err)
			n.link.Reset()
			w.happens(1, msgcore.Disconnected)
			s := stream.Stats()
			require.EqualValues(t, 3, s.MessagesOut)
			require.EqualValues(t, 1, s.DroppedUndelivered)
			require.Zero(t, s.InDoubt)
		})
	})
}

// What was read of a peer and not handed over, since the application had no room,
// has come all the same when the connection ends.
func TestSimReadAheadIsCounted(t *testing.T) {
	for _, c := range []struct {
		name      string
		from, to  msgcore.Type
		mechanism zmtp.Mechanism
	}{
		{"PULL", msgcore.Push, msgcore.Pull, nil},
		{"PULL sealed", msgcore.Push, msgcore.Pull, maskMechanism{}},
		{"XPUB", msgcore.XSub, msgcore.XPub, nil},
		{"ROUTER", msgcore.Dealer, msgcore.Router, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulate(t, func(t *testing.T, n *sim) {
				sends, receives := n.pair(t, c.from, c.to, msgcore.Options{Mechanism: c.mechanism}, msgcore.Options{Mechanism: c.mechanism, RecvHWM: 1})
				n.link.SetDelay(time.Second) // all comes at once, and fits the least slab
				var batch []msgcore.Msg
				for range 10 {
					batch = append(batch, msgcore.Msg{Frames: [][]byte{[]byte("more"), make([]byte, 10)}})
				}
				_, err := sends.SendBatch(t.Context(), batch)
				require.NoError(t, err)
				time.Sleep(time.Minute)
				require.Less(t, receives.Stats().MessagesIn, uint64(10))
				require.NoError(t, receives.Disconnect(simDial))
				time.Sleep(time.Minute)
				s, r := sends.Stats(), receives.Stats()
				require.EqualValues(t, 10, s.MessagesOut)
				require.Equal(t, s.MessagesOut, r.MessagesIn+s.DroppedUndelivered)
				require.EqualValues(t, 10, r.MessagesIn)
				require.EqualValues(t, 10, r.DroppedUnread+r.QueuedIn)
				require.Equal(t, s.BytesOut, r.BytesIn)
			})
		})
	}
}

// A publisher counts for each subscriber what that one has not read, also of one that
// is slow, and of blocks that several share.
func TestSimUndeliveredToSubscribers(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		pub, _ := at(t, n.server, msgcore.Pub, msgcore.Options{})
		bindTo(t, pub, simBind)
		n.link.SetBuffer(2000)
		subs := make([]*msgcore.Socket, 3)
		for i := range subs {
			subs[i], _ = at(t, n.client, msgcore.Sub, msgcore.Options{RecvHWM: 5, Reconnect: msgcore.Reconnect{Interval: 10 * time.Millisecond}})
			wantAll(t, subs[i])
			require.NoError(t, subs[i].Connect(simDial))
			if i > 0 { // the first one never receives
				go func() {
					for m, err := range subs[i].Messages(context.Background()) {
						if err != nil {
							return
						}
						m.Release()
					}
				}()
			}
		}
		for i := range 60 {
			// The first one does not even see that it has lost its connection.
			require.NoError(t, pub.WaitSubscribers(t.Context(), len(subs)-1))
			for range 50 {
				sendTexts(t, pub, "news", strings.Repeat("x", i))
			}
			switch i % 3 {
			case 0:
				n.link.SetDelay(time.Duration(i) * time.Millisecond)
			case 1:
				n.link.Reset()
			case 2:
				n.link.End()
			}
			time.Sleep(time.Duration(i) * time.Millisecond)
		}
		require.NoError(t, pub.Close())
		var came uint64
		for _, s := range subs {
			require.NoError(t, s.Close())
			came += s.Stats().MessagesIn
		}
		s := pub.Stats()
		require.Zero(t, s.InDoubt)
		require.Positive(t, s.DroppedUndelivered)
		require.Equal(t, s.MessagesOut, came+s.DroppedUndelivered)
	})
}
