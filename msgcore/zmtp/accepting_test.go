package zmtp_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// The side that accepts judges before it says READY: one that is refused fails in
// the handshake, on either side, each time.
func TestAcceptingJudgesFirst(t *testing.T) {
	for _, mechanism := range []zmtp.Mechanism{nil, zmtp.Null()} {
		for range 50 {
			accepts := &zmtp.Config{Mechanism: mechanism, Accepting: true, Properties: props("ROUTER"), Check: func(p zmtp.Properties) error {
				require.Equal(t, "DEALER", p.Get(zmtp.SocketType))
				return errors.New("no room")
			}}
			dialed, accepted, ca, cb := handshakes(t, &zmtp.Config{Properties: props("DEALER")}, accepts)
			var rejected *zmtp.RejectedError
			require.ErrorAs(t, dialed.err, &rejected)
			require.Equal(t, "no room", rejected.Reason)
			require.ErrorContains(t, accepted.err, "peer refused: no room")
			ca.Close()
			cb.Close()
		}
	}
}

func TestAcceptingAdmits(t *testing.T) {
	a, b := pair(t, &zmtp.Config{Properties: props("DEALER")}, &zmtp.Config{Accepting: true, Properties: props("ROUTER")})
	require.Equal(t, props("ROUTER"), a.Peer())
	require.Equal(t, props("DEALER"), b.Peer())
}
