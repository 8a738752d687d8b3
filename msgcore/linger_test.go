package msgcore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// begun is a channel that is closed just before Close is called, and one of
// what Close returns.
func closing(s *msgcore.Socket) (begun <-chan struct{}, ended <-chan error) {
	b, e := make(chan struct{}), make(chan error, 1)
	go func() {
		close(b)
		e <- s.Close()
	}()
	return b, e
}

// Close right after Send of 10,000 messages, of which nobody has read one,
// delivers them all, to a reader of ours that takes them one by one.
func TestLingerDelivers(t *testing.T) {
	const count = 10000
	schemes(t, func(t *testing.T, endpoint string) {
		for _, typ := range []msgcore.Type{msgcore.Push, msgcore.Dealer, msgcore.Pair, msgcore.Pub} {
			t.Run(typ.String(), func(t *testing.T) {
				s := open(t, typ, &msgcore.Options{SendHWM: -1, Linger: patience, Transport: smallBuffers})
				r := open(t, counterpart[typ], &msgcore.Options{RecvHWM: 1, Transport: smallBuffers})
				bound := bindTo(t, r, endpoint+suffix(endpoint, typ))
				require.NoError(t, s.Connect(bound))
				if typ == msgcore.Pub {
					require.NoError(t, r.Subscribe(""))
					require.NoError(t, s.WaitSubscribers(limited(t), 1))
				}
				body := make([]byte, 200)
				for i := range count {
					body[0], body[1] = byte(i), byte(i>>8)
					require.NoError(t, s.Send(t.Context(), body, nil))
				}
				begun, ended := closing(s)
				<-begun
				ctx := limited(t)
				for i := range count {
					m, err := r.Recv(ctx)
					require.NoError(t, err, "message %d", i)
					require.Len(t, m.Frames, 2)
					require.Equal(t, byte(i), m.Frames[0][0])
					require.Equal(t, byte(i>>8), m.Frames[0][1])
					m.Release()
				}
				require.NoError(t, <-ended)
				require.Empty(t, s.Pending())
			})
		}
	})
}

// suffix makes endpoints of several types differ that are names.
func suffix(endpoint string, typ msgcore.Type) string {
	if strings.HasPrefix(endpoint, "tcp:") {
		return ""
	}
	return typ.String()
}

// The same to a PULL of libzmq, which answers nothing and may send PINGs.
func TestLingerInterop(t *testing.T) {
	py := startPython(t)
	for _, scheme := range []string{"tcp", "ipc"} {
		for name, o := range map[string]pyOptions{
			"plain":   {"RCVHWM": 1, "RCVBUF": 4096},
			"pinging": {"RCVHWM": 1, "RCVBUF": 4096, "HEARTBEAT_IVL": 10, "HEARTBEAT_TIMEOUT": 30000},
		} {
			t.Run(scheme+"/"+name, func(t *testing.T) {
				endpoint := anyPort
				if scheme == "ipc" {
					endpoint = unused(t, "ipc")
				}
				s := open(t, msgcore.Push, &msgcore.Options{SendHWM: -1, Linger: patience})
				theirs := py.open(t, "PULL", o)
				require.NoError(t, s.Connect(theirs.bind(t, endpoint)))
				st := stream{seed: 7, count: 10000, budget: 10 << 20}
				require.NoError(t, st.send(limited(t), s))
				begun, ended := closing(s)
				<-begun
				theirs.do(t, "recv_stream", st.args()...)
				require.NoError(t, <-ended)
			})
		}
	}
}

// One that reads hardly anything is not waited for longer than 30 times Linger.
func TestLingerHasAnEnd(t *testing.T) {
	s := open(t, msgcore.Push, &msgcore.Options{Linger: 20 * time.Millisecond, Transport: smallBuffers})
	p := rawHandshakeSmall(t, bindTo(t, s, anyPort), "PULL")
	require.NoError(t, s.WaitPeers(limited(t), 1))
	for range 500 {
		require.NoError(t, s.Send(limited(t), make([]byte, 64<<10)))
	}
	_, ended := closing(s)
	every := time.NewTicker(2 * time.Millisecond)
	defer every.Stop()
	b := make([]byte, 4<<10)
	for {
		<-every.C
		if _, err := p.Read(b); err != nil {
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
			break
		}
	}
	var unsent *msgcore.UnsentError
	require.ErrorAs(t, <-ended, &unsent)
}

// rawHandshakeSmall is rawHandshake with a small receive buffer.
func rawHandshakeSmall(t testing.TB, endpoint, socketType string) *rawPeer {
	t.Helper()
	p := rawDial(t, endpoint)
	require.NoError(t, p.SetReadBuffer(8<<10))
	return rawOver(t, p.TCPConn, socketType)
}

// What a peer that does not read has not got is counted to the message: what it
// reads afterwards and what Close says is unsent are all that was sent.
func TestLingerCountsWhatIsUnsent(t *testing.T) {
	for _, o := range []msgcore.Options{{Linger: time.Millisecond}, {Linger: 100 * time.Millisecond}} {
		for _, size := range []int{100, 3000, 100 << 10, 10 << 20} {
			o.SendHWM = -1
			s := open(t, msgcore.Push, &o)
			p := rawHandshake(t, bindTo(t, s, anyPort), "PULL")
			require.NoError(t, s.WaitPeers(limited(t), 1))
			sent := 30 << 20 / size // more than the kernel takes
			ctx, body := limited(t), make([]byte, size)
			for range sent {
				require.NoError(t, s.Send(ctx, body))
			}
			err := s.Close()
			var unsent *msgcore.UnsentError
			require.ErrorAs(t, err, &unsent)
			requireOp(t, err, "close", msgcore.Push)
			require.ErrorContains(t, err, "Options.Linger")
			require.Len(t, unsent.Pending, 1)
			require.Equal(t, p.LocalAddr().String(), unsent.Pending[0].Endpoint)
			got := p.wholeFrames(t)
			require.Equal(t, sent, got+unsent.Pending[0].Messages, "%d messages of %d bytes came", got, size)
			require.EqualValues(t, unsent.Pending[0].Messages*len(frame(0, make([]byte, size))), unsent.Pending[0].Bytes)
		}
	}
}

// wholeFrames counts the frames that still come until the other end closes.
func (p *rawPeer) wholeFrames(t testing.TB) (n int) {
	t.Helper()
	all, err := io.ReadAll(p.in)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
	for len(all) > 0 {
		_, size, hdr, err := zmtp.ParseHeader(all)
		require.NoError(t, err)
		if hdr == 0 || uint64(len(all)-hdr) < size {
			break
		}
		all = all[hdr+int(size):]
		n++
	}
	return n
}

// A server that never appears is named, with what was for it.
func TestLingerNobodyCame(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			endpoint := unused(t, scheme)
			s := open(t, msgcore.Push, &msgcore.Options{Linger: 30 * time.Millisecond})
			require.NoError(t, s.Connect(endpoint))
			for range 10 {
				require.NoError(t, s.Send(limited(t), []byte("x"), []byte("y")))
			}
			err := s.Close()
			var unsent *msgcore.UnsentError
			require.ErrorAs(t, err, &unsent)
			require.Equal(t, []msgcore.Pending{{Endpoint: endpoint, Messages: 10, Bytes: 60}}, unsent.Pending)
			require.ErrorContains(t, err, "10 messages not sent to "+endpoint)
			require.Equal(t, err, s.Shutdown(t.Context()))
		})
	}
}

// Discard does not wait, and finds nothing wrong with that.
func TestLingerDiscard(t *testing.T) {
	s := open(t, msgcore.Push, &msgcore.Options{Linger: msgcore.Discard, SendHWM: -1, Transport: smallBuffers})
	p := rawHandshakeSmall(t, bindTo(t, s, anyPort), "PULL")
	require.NoError(t, s.Connect(unused(t, "tcp")))
	require.NoError(t, s.WaitPeers(limited(t), 1))
	const sent = 2000
	for range sent {
		require.NoError(t, s.Send(limited(t), make([]byte, 10<<10)))
	}
	require.NoError(t, s.Close())
	require.Less(t, p.wholeFrames(t), sent)
}

// A negative Linger waits for a server to appear.
func TestLingerForEver(t *testing.T) {
	for _, scheme := range []string{"tcp", "ipc"} {
		t.Run(scheme, func(t *testing.T) {
			endpoint := unused(t, scheme)
			o, w := watched(msgcore.Options{Linger: -1, Reconnect: msgcore.Reconnect{Interval: 10 * time.Millisecond}})
			s := open(t, msgcore.Push, o)
			require.NoError(t, s.Connect(endpoint))
			sendTexts(t, s, "late, but there")
			begun, ended := closing(s)
			<-begun
			w.times(t, 3, msgcore.ConnectRetried)
			require.ErrorIs(t, s.Send(t.Context(), nil), net.ErrClosed)
			r := open(t, msgcore.Pull, nil)
			bindTo(t, r, endpoint)
			require.Equal(t, []string{"late, but there"}, recvTexts(t, r))
			require.NoError(t, <-ended)
		})
	}
}

// Shutdown waits as long as its context says, whatever Linger is.
func TestLingerShutdown(t *testing.T) {
	endpoint := unused(t, "tcp")
	again := msgcore.Reconnect{Interval: 5 * time.Millisecond}
	o, w := watched(msgcore.Options{Linger: msgcore.Discard, Reconnect: again})
	s := open(t, msgcore.Push, o)
	require.NoError(t, s.Connect(endpoint))
	sendTexts(t, s, "waited for")
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(limited(t)) }()
	w.times(t, 3, msgcore.ConnectRetried)
	r := open(t, msgcore.Pull, nil)
	bindTo(t, r, endpoint)
	require.Equal(t, []string{"waited for"}, recvTexts(t, r))
	require.NoError(t, <-ended)

	hopeless := open(t, msgcore.Push, &msgcore.Options{Linger: -1, Reconnect: again})
	require.NoError(t, hopeless.Connect(unused(t, "tcp")))
	sendTexts(t, hopeless, "lost")
	past, cancel := context.WithCancel(t.Context())
	cancel()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- hopeless.Shutdown(ctx) }()
	require.Eventually(t, func() bool { return errors.Is(hopeless.WaitPeers(past, 1), net.ErrClosed) }, patience, time.Millisecond)
	cancel()
	err := <-ended
	var unsent *msgcore.UnsentError
	require.ErrorAs(t, err, &unsent)
	require.Equal(t, 1, unsent.Pending[0].Messages)
	require.Same(t, err, hopeless.Close())
}

// A message of which a part was written when the peer came to a halt counts as
// unsent, and one larger than the kernel's buffers arrives whole or not at all.
func TestLingerLargeMessage(t *testing.T) {
	s := open(t, msgcore.Push, &msgcore.Options{Linger: patience, Transport: smallBuffers})
	r := open(t, msgcore.Pull, &msgcore.Options{Transport: smallBuffers})
	require.NoError(t, s.Connect(bindTo(t, r, anyPort)))
	body := bytes.Repeat([]byte("large"), 4<<20)
	require.NoError(t, s.Send(limited(t), body))
	_, ended := closing(s)
	m, err := r.Recv(limited(t))
	require.NoError(t, err)
	require.True(t, bytes.Equal(body, m.Frames[0]))
	require.NoError(t, <-ended)
}
