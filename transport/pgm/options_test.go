package pgm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/pgm"
)

// A setting that cannot be is refused by its name.
func TestBadOptions(t *testing.T) {
	for name, opts := range map[string]transport.Options{
		"MulticastMemory":   {MulticastMemory: 8<<20 - 1},
		"MulticastRate":     {MulticastRate: -1},
		"MulticastRecovery": {MulticastRecovery: -time.Second},
		"MulticastParity":   {MulticastParity: 24},
		"MulticastTTL":      {MulticastTTL: 256},
		"MaxPacket":         {MaxPacket: 255},
		"TrafficClass":      {TrafficClass: 256},
		"buffer":            {RecvBuffer: -1},
	} {
		_, err := pgm.Transport{}.OpenPackets(t.Context(), "127.0.0.1;239.255.77.9:5999", &opts, transport.PacketUse{Recv: true})
		require.ErrorContains(t, err, name)
	}
	c, err := pgm.Transport{}.OpenPackets(t.Context(), "127.0.0.1;239.255.77.9:5999", &transport.Options{MulticastMemory: 8 << 20}, transport.PacketUse{Recv: true})
	require.NoError(t, err)
	require.NoError(t, c.Close())
}
