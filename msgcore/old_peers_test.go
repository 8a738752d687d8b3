package msgcore_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// rawThree shakes hands as a peer of ZMTP 3.0.
func rawThree(t testing.TB, endpoint, socketType string) *rawPeer {
	t.Helper()
	p := rawDial(t, endpoint)
	p.send(t, after(greeting(3, 0), readyOf(socketType))...)
	_, err := io.ReadFull(p.in, make([]byte, 64))
	require.NoError(t, err)
	require.True(t, p.readFrame(t).Command)
	return p
}

// Peers of ZMTP 3.0 subscribe by messages, and are subscribed to so.
func TestOldPeersSubscribeByMessages(t *testing.T) {
	sub := open(t, msgcore.Sub, nil)
	require.NoError(t, sub.Subscribe("AB"))
	p := rawThree(t, bindTo(t, sub, anyPort), "PUB")
	f := p.readFrame(t)
	require.False(t, f.Command)
	require.Equal(t, "\x01AB", string(f.Body))
	p.send(t, frame(0, []byte("XY"))...)
	p.send(t, frame(0, []byte("ABC"))...)
	require.Equal(t, []string{"ABC"}, recvTexts(t, sub))
	require.NoError(t, sub.Unsubscribe("AB"))
	require.Equal(t, "\x00AB", string(p.readFrame(t).Body))

	pub := open(t, msgcore.Pub, nil)
	p = rawThree(t, bindTo(t, pub, anyPort), "SUB")
	p.send(t, after(frame(0, []byte("\x01old")), frame(0, []byte("\x01new")))...)
	require.NoError(t, pub.WaitSubscribers(limited(t), 2))
	p.send(t, after(frame(0, []byte("\x00old")), frame(0, []byte("\x01end")), frame(0, []byte("\x01more")))...)
	require.NoError(t, pub.WaitSubscribers(limited(t), 3))
	for _, topic := range []string{"old", "new", "end"} {
		sendTexts(t, pub, topic)
	}
	require.Equal(t, "new", string(p.readFrame(t).Body))
	require.Equal(t, "end", string(p.readFrame(t).Body))
}

// They know no PING, so they get none, and are not given up for their silence.
func TestOldPeersAreNotPinged(t *testing.T) {
	hb := msgcore.Heartbeat{Interval: time.Millisecond}
	o, w := watched(msgcore.Options{Heartbeat: hb})
	s := open(t, msgcore.Pair, o)
	p := rawThree(t, bindTo(t, s, anyPort), "PAIR")
	// Beside it, a connection that is pinged shows how time goes by.
	hb.Timeout = patience // it is not what is tested
	beat := open(t, msgcore.Pull, &msgcore.Options{Heartbeat: hb})
	q := rawHandshake(t, bindTo(t, beat, anyPort), "PUSH")
	for range 50 {
		q.readCommand(t, "PING")
		q.send(t, command("\x04PONG")...)
	}
	require.Empty(t, w.kindsOf(msgcore.Disconnected))
	sendTexts(t, s, "first word")
	require.Equal(t, "first word", string(p.readFrame(t).Body))
}
