package msgcore_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// Both sides find out about a partition, exactly when they were told to, and find
// each other again behind it. Without one they stay together.
func TestSimHeartbeatFindsPartition(t *testing.T) {
	hb := msgcore.Heartbeat{Interval: 10 * time.Second, Timeout: 3 * time.Second}
	simulate(t, func(t *testing.T, n *sim) {
		server, sw := at(t, n.server, msgcore.Pair, msgcore.Options{Heartbeat: hb})
		client, cw := at(t, n.client, msgcore.Pair, msgcore.Options{Heartbeat: hb})
		bindTo(t, server, simBind)
		require.NoError(t, client.Connect(simDial))
		require.NoError(t, client.WaitPeers(t.Context(), 1))
		time.Sleep(time.Hour - time.Second)
		require.Empty(t, sw.kindsOf(msgcore.Disconnected))
		require.Empty(t, cw.kindsOf(msgcore.Disconnected))

		n.link.Cut() // a second before a PING is due
		began := time.Now()
		for _, w := range []*watch{sw, cw} {
			e := w.happens(1, msgcore.Disconnected)
			require.ErrorContains(t, e.Err, "nothing came within 3s of a PING")
			require.Equal(t, 4*time.Second, e.Time.Sub(began).Round(time.Second))
		}
		n.link.Mend()
		require.NoError(t, client.WaitPeers(t.Context(), 1))
		exchange(t, server, client, "again")
	})
}

// A peer that we hear, and that does not hear us, answers no PING: what it says
// counts all the same.
func TestSimHeartbeatOneWay(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		pull, w := at(t, n.server, msgcore.Pull, msgcore.Options{Heartbeat: msgcore.Heartbeat{Interval: 10 * time.Second}})
		push, _ := at(t, n.client, msgcore.Push, msgcore.Options{})
		bindTo(t, pull, simBind)
		require.NoError(t, push.Connect(simDial))
		require.NoError(t, push.WaitPeers(t.Context(), 1))
		n.link.CutFrom(n.server)
		for i := range 60 {
			time.Sleep(5 * time.Second)
			sendTexts(t, push, fmt.Sprint(i))
			require.Equal(t, []string{fmt.Sprint(i)}, recvNow(t, pull))
		}
		require.Empty(t, w.kindsOf(msgcore.Disconnected))
		began := time.Now()
		e := w.happens(1, msgcore.Disconnected)
		require.LessOrEqual(t, e.Time.Sub(began), 20*time.Second)
	})
}

// The time to live of a peer's PING is honoured to the second, up to what the
// wire can say; libzmq misreads those over 65.5 s.
func TestSimHeartbeatTimeToLive(t *testing.T) {
	for _, ttl := range []time.Duration{100 * time.Millisecond, 65500 * time.Millisecond, 65600 * time.Millisecond, 100 * time.Second, 6553500 * time.Millisecond} {
		t.Run(ttl.String(), func(t *testing.T) {
			simulate(t, func(t *testing.T, n *sim) {
				pull, w := at(t, n.server, msgcore.Pull, msgcore.Options{})
				bindTo(t, pull, simBind)
				c, _ := n.raw(t, "PUSH")
				tenths := uint16(ttl / (100 * time.Millisecond)) // AppendPing would not say so much
				_, err := c.Write(command("\x04PING" + string([]byte{byte(tenths >> 8), byte(tenths)})))
				require.NoError(t, err)
				began := time.Now()
				e := w.happens(1, msgcore.Disconnected)
				require.ErrorContains(t, e.Err, "the time to live of its PINGs")
				require.Equal(t, ttl, e.Time.Sub(began))
			})
		})
	}
}

// What we send never has a time to live that libzmq misreads, and is what the
// options say.
func TestSimHeartbeatSendsSafeTimeToLive(t *testing.T) {
	for _, ttl := range []time.Duration{0, 2 * time.Second, 65500 * time.Millisecond} {
		simulate(t, func(t *testing.T, n *sim) {
			pull, _ := at(t, n.server, msgcore.Pull, msgcore.Options{Heartbeat: msgcore.Heartbeat{Interval: time.Second, TTL: ttl}})
			bindTo(t, pull, simBind)
			_, z := n.raw(t, "PUSH")
			for range 10 {
				var ping []byte
				takes(t, time.Second, func() {
					f, err := z.ReadAny()
					require.NoError(t, err)
					name, data, err := zmtp.ParseCommand(f.Body)
					require.NoError(t, err)
					require.Equal(t, zmtp.CommandPing, name)
					ping = data
				})
				got, _, err := zmtp.ParsePing(ping)
				require.NoError(t, err)
				require.Equal(t, ttl, got)
			}
		})
	}
	for _, ttl := range []time.Duration{65501 * time.Millisecond, 66 * time.Second, 100 * time.Second} {
		o := msgcore.Options{Heartbeat: msgcore.Heartbeat{TTL: ttl}}
		require.ErrorContains(t, o.Validate(msgcore.Pull), "at most 1m5.5s")
	}
}

// 100 MiB crawl through a link for far longer than any time-out, and nobody is
// given up.
func TestSimHeartbeatWhileBytesCrawl(t *testing.T) {
	const size = 100 << 20
	hb := msgcore.Heartbeat{Interval: time.Second, Timeout: 2 * time.Second, TTL: 3 * time.Second}
	simulate(t, func(t *testing.T, n *sim) {
		pull, pw := at(t, n.server, msgcore.Pull, msgcore.Options{Heartbeat: hb})
		push, cw := at(t, n.client, msgcore.Push, msgcore.Options{Heartbeat: hb})
		bindTo(t, pull, simBind)
		require.NoError(t, push.Connect(simDial))
		require.NoError(t, push.WaitPeers(t.Context(), 1))
		n.link.SetBandwidth(1 << 20)
		n.link.SetDelay(50 * time.Millisecond)
		began := time.Now()
		require.NoError(t, push.Send(t.Context(), make([]byte, size)))
		m, err := pull.Recv(t.Context())
		require.NoError(t, err)
		require.Len(t, m.Bytes(), size)
		require.InDelta(t, 100, time.Since(began).Seconds(), 1)
		require.Empty(t, pw.kindsOf(msgcore.Disconnected))
		require.Empty(t, cw.kindsOf(msgcore.Disconnected))
	})
}

// Nobody receives for an hour: back-pressure parks our reader, which no heartbeat,
// on either side, takes for silence.
func TestSimHeartbeatWhileParked(t *testing.T) {
	hb := msgcore.Heartbeat{Interval: time.Second, Timeout: 2 * time.Second, TTL: 3 * time.Second}
	simulate(t, func(t *testing.T, n *sim) {
		pull, pw := at(t, n.server, msgcore.Pull, msgcore.Options{Heartbeat: hb, RecvHWM: 1})
		push, cw := at(t, n.client, msgcore.Push, msgcore.Options{Heartbeat: hb, SendHWM: 1})
		bindTo(t, pull, simBind)
		require.NoError(t, push.Connect(simDial))
		require.NoError(t, push.WaitPeers(t.Context(), 1))
		time.Sleep(5 * time.Second) // so that PINGs have gone both ways
		n.link.SetBuffer(1000)
		const messages = 20
		sent := make(chan error, 1)
		go func() {
			for range messages {
				if err := push.Send(t.Context(), make([]byte, 500)); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		time.Sleep(time.Hour)
		require.Empty(t, pw.kindsOf(msgcore.Disconnected))
		require.Empty(t, cw.kindsOf(msgcore.Disconnected))
		for range messages {
			m, err := pull.Recv(t.Context())
			require.NoError(t, err)
			require.Len(t, m.Bytes(), 500)
		}
		require.NoError(t, <-sent)
	})
}

// A peer of which PINGs are all that comes is alive, and hears PONGs in time.
func TestSimHeartbeatAnswersInTime(t *testing.T) {
	simulate(t, func(t *testing.T, n *sim) {
		n.link.SetDelay(30 * time.Millisecond)
		pull, _ := at(t, n.server, msgcore.Pull, msgcore.Options{})
		bindTo(t, pull, simBind)
		c, z := n.raw(t, "PUSH")
		for i := range 100 {
			takes(t, 60*time.Millisecond, func() {
				_, err := c.Write(zmtp.AppendPing(nil, 100*time.Millisecond, fmt.Append(nil, i)))
				require.NoError(t, err)
				f, err := z.ReadAny()
				require.NoError(t, err)
				name, data, err := zmtp.ParseCommand(f.Body)
				require.NoError(t, err)
				require.Equal(t, zmtp.CommandPong, name)
				require.Equal(t, fmt.Sprint(i), string(data))
			})
		}
		// And then it falls silent.
		synctest.Wait()
		takes(t, 100*time.Millisecond, func() {
			_, err := io.Copy(io.Discard, c)
			require.NoError(t, err)
		})
	})
}

// A peer that talks within its time to live stays, and is gone that long after its last
// byte, whatever that was of.
func TestSimHeartbeatTimeToLiveOfWhoTalks(t *testing.T) {
	const ttl = 500 * time.Millisecond
	simulate(t, func(t *testing.T, n *sim) {
		pull, w := at(t, n.server, msgcore.Pull, msgcore.Options{})
		bindTo(t, pull, simBind)
		c, _ := n.raw(t, "PUSH")
		_, err := c.Write(zmtp.AppendPing(nil, ttl, nil))
		require.NoError(t, err)
		for range 20 {
			time.Sleep(ttl - 50*time.Millisecond)
			_, err := c.Write(frame(0, []byte("alive")))
			require.NoError(t, err)
		}
		synctest.Wait()
		require.Empty(t, w.kindsOf(msgcore.Disconnected))
		takes(t, ttl, func() {
			require.ErrorContains(t, w.happens(1, msgcore.Disconnected).Err, "500ms, the time to live")
		})
	})
}
