//go:build unix

package msgcore_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// A libzmq process that is stopped is noticed, and found again.
func TestHeartbeatInteropTheyAreStopped(t *testing.T) {
	py := startPython(t)
	server, client := py.open(t, "ROUTER", nil), py.open(t, "DEALER", pyOptions{"IDENTITY": "they"})
	hb := msgcore.Heartbeat{Interval: 50 * time.Millisecond, Timeout: 500 * time.Millisecond}
	do, dw := watched(msgcore.Options{Heartbeat: hb, RoutingID: "we"})
	ro, rw := watched(msgcore.Options{Heartbeat: hb})
	dealer, router := open(t, msgcore.Dealer, do), open(t, msgcore.Router, ro)
	require.NoError(t, dealer.Connect(server.bind(t, anyPort)))
	client.do(t, "connect", bindTo(t, router, anyPort))
	talk := func(word string) {
		sendTexts(t, dealer, word)
		require.Equal(t, []string{"we", word}, server.recv(t))
		client.send(t, word)
		require.Equal(t, []string{"they", word}, recvTexts(t, router))
	}
	talk("before")
	require.NoError(t, py.cmd.Process.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = py.cmd.Process.Signal(syscall.SIGCONT) })
	for _, w := range []*watch{dw, rw} {
		require.ErrorContains(t, w.times(t, 1, msgcore.Disconnected).Err, "silent")
	}
	require.NoError(t, py.cmd.Process.Signal(syscall.SIGCONT))
	talk("after")
}
