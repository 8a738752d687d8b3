package udp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/udp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, addr string, opts *transport.Options, use transport.PacketUse) transport.PacketConn {
	t.Helper()
	c, err := udp.Transport{}.OpenPackets(t.Context(), addr, opts, use)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

var both = transport.PacketUse{Bind: true, Send: true, Recv: true}

// Many packets at once, of all sizes, keep their boundaries and their order, as
// they do on the loopback interface while the receiver keeps up.
func TestBatches(t *testing.T) {
	counters := &transport.PacketCounters{}
	in := open(t, "127.0.0.1:*", &transport.Options{RecvBuffer: 4 << 20}, both)
	out := open(t, "127.0.0.1:*", &transport.Options{MaxPacket: 9000, Packets: counters}, both)
	to := netip.MustParseAddrPort(in.Addr().String())
	got := make([]transport.Packet, 32)
	seen := 0
	for round := range 50 {
		var ps []transport.Packet
		for i := range 100 {
			ps = append(ps, transport.Packet{Data: make([]byte, (round*100+i)%120), Peer: to})
		}
		n, err := out.WritePackets(ps)
		require.NoError(t, err)
		require.Equal(t, len(ps), n)
		for end := seen + n; seen < end; {
			n, err := in.ReadPackets(got)
			require.NoError(t, err)
			for _, p := range got[:n] {
				require.Len(t, p.Data, seen%120)
				require.Equal(t, out.Addr().String(), p.Peer.String())
				seen++
			}
		}
	}
	// One that is refused is an error about it; those before it were sent.
	n, err := out.WritePackets([]transport.Packet{{Data: []byte("a"), Peer: to}, {Data: make([]byte, 9001), Peer: to}, {Data: []byte("b"), Peer: to}})
	require.Equal(t, 1, n)
	require.ErrorContains(t, err, "udp: ")
	require.ErrorContains(t, err, "MaxPacket is 9000")
	require.Equal(t, uint64(1), counters.Unsent.Load())
}

func TestCloseWakes(t *testing.T) {
	c := open(t, "127.0.0.1:*", nil, both)
	ended := make(chan error)
	go func() {
		_, err := c.ReadPackets(make([]transport.Packet, 1))
		ended <- err
	}()
	require.NoError(t, c.Close())
	err := <-ended
	require.ErrorIs(t, err, net.ErrClosed)
	require.NotErrorIs(t, err, io.EOF)
	_, err = c.WritePackets([]transport.Packet{{Data: []byte("x"), Peer: netip.MustParseAddrPort("127.0.0.1:9")}})
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestNoStreams(t *testing.T) {
	_, err := udp.Transport{}.Dial(t.Context(), "127.0.0.1:5", nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = udp.Transport{}.Listen(t.Context(), "127.0.0.1:5", nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = udp.Transport{}.OpenPackets(ctx, "no.such.invalid:5", nil, transport.PacketUse{Send: true})
	require.Error(t, err)
}

// Group addresses with IPv6, on the loopback interface.
func TestMulticastIPv6(t *testing.T) {
	addr := "lo;[ff01::77]:47771" // interface-local: never leaves the machine
	in, err := udp.Transport{}.OpenPackets(t.Context(), addr, nil, transport.PacketUse{Bind: true, Recv: true})
	if err != nil {
		t.Skipf("no IPv6 multicast on lo here: %v", err)
	}
	defer in.Close()
	out := open(t, addr, nil, transport.PacketUse{Send: true})
	if _, err := out.WritePackets([]transport.Packet{{Data: []byte("six")}}); err != nil {
		t.Skipf("no IPv6 multicast on lo here: %v", err)
	}
	ps := make([]transport.Packet, 1)
	_, err = in.ReadPackets(ps)
	require.NoError(t, err)
	require.Equal(t, "six", string(ps[0].Data))
}
