package curve_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// A tap is somebody between a client and a server who keeps what both say.
type tap struct {
	net.Listener
	wg   sync.WaitGroup
	mu   sync.Mutex // guards said
	said [2][]byte  // by the client and by the server
}

func newTap(t testing.TB, server string) *tap {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &tap{Listener: l}
	t.Cleanup(func() {
		l.Close()
		p.wg.Wait()
	})
	p.wg.Go(func() {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", server)
		if err != nil {
			in.Close()
			return
		}
		for i, conns := range [2][2]net.Conn{{in, out}, {out, in}} {
			p.wg.Go(func() {
				io.Copy(io.MultiWriter(conns[1], ear{p, i}), conns[0])
				conns[1].Close()
			})
		}
	})
	return p
}

type ear struct {
	p *tap
	i int
}

func (e ear) Write(b []byte) (int, error) {
	e.p.mu.Lock()
	defer e.p.mu.Unlock()
	e.p.said[e.i] = append(e.p.said[e.i], b...)
	return len(b), nil
}

// heard returns what was said, without what a write of this moment has to add.
func (p *tap) heard() [2][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return [2][]byte{bytes.Clone(p.said[0]), bytes.Clone(p.said[1])}
}

// Not a byte of what two sockets say goes over the wire in the clear: no topic, no
// property, no routing id, no PING; and frames do not show whether they are commands
// or parts of messages.
func TestNothingInTheClear(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	sec := securities()[0]
	heartbeat := msgcore.Heartbeat{Interval: patience / 1000}
	pub, _ := open(t, msgcore.Pub, msgcore.Options{Mechanism: sec.server, Authorize: admit("400"), Heartbeat: heartbeat})
	endpoint, err := pub.Bind(ctx, "tcp://127.0.0.1:*")
	require.NoError(t, err)
	p := newTap(t, strings.TrimPrefix(endpoint, "tcp://"))
	sub, _ := open(t, msgcore.Sub, msgcore.Options{Mechanism: sec.client, Heartbeat: heartbeat, Metadata: map[string]string{"X-Name": "clandestine"}})
	require.NoError(t, sub.Subscribe("clandestine"))
	require.NoError(t, sub.Connect("tcp://"+p.Addr().String()))
	require.NoError(t, pub.WaitSubscribers(ctx, 1))
	for range 10 {
		require.NoError(t, pub.Send(ctx, []byte("clandestine topic"), []byte("clandestine body")))
		m, err := sub.Recv(ctx)
		require.NoError(t, err)
		require.Len(t, m.Frames, 2)
	}
	pinged := func() bool { return len(p.heard()[0]) > 1200 && len(p.heard()[1]) > 2000 }
	require.Eventually(t, pinged, patience, 1e6)
	require.NoError(t, sub.Unsubscribe("clandestine"))

	names := [2][]string{{"HELLO", "INITIATE"}, {"WELCOME", "READY"}}
	for i, said := range p.heard() {
		for _, secret := range []string{"clandestine", "Socket-Type", "SUBSCRIBE", "PING", "PONG", "X-Name"} {
			require.NotContains(t, string(said), secret)
		}
		said = said[zmtp.GreetingSize:]
		frames := 0
		for {
			flags, n, size, err := zmtp.ParseHeader(said)
			require.NoError(t, err)
			if size == 0 || uint64(len(said)-size) < n {
				break // it goes on
			}
			name, _, err := zmtp.ParseCommand(said[size : size+int(n)])
			require.NoError(t, err)
			if frames < 2 {
				require.Equal(t, names[i][frames], name)
				require.Equal(t, byte(zmtp.FlagCommand), flags&^zmtp.FlagLong)
			} else {
				require.Equal(t, zmtp.CommandMessage, name)
				require.Zero(t, flags&^zmtp.FlagLong)
			}
			said = said[size+int(n):]
			frames++
		}
		require.Greater(t, frames, 4)
	}
}
