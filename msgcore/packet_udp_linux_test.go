package msgcore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// A group of IPv6 crosses a network, named by interface or by address.
func TestUDPMulticastIPv6(t *testing.T) {
	hosts := newNetworkIPv6(t, 3)
	var dishes []*msgcore.Socket
	for i, at := range []string{"eth0", hosts[1].ip} {
		hosts[i].do(t, func() {
			dish, _ := bindDish(t, "udp://"+at+";[ff05::77]:5777", "g")
			dishes = append(dishes, dish)
		})
	}
	hosts[2].do(t, func() {
		radio := connectRadio(t, "udp://eth0;[ff05::77]:5777", nil)
		require.NoError(t, radio.Send(t.Context(), []byte("g"), []byte("six")))
	})
	for _, dish := range dishes {
		require.Equal(t, []string{"g", "six"}, recvFrames(t, dish))
	}
}
