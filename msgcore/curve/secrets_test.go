package curve_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// Whatever becomes of a handshake, neither events nor errors tell a secret, of
// either side.
func TestSecretsAreNotInEvents(t *testing.T) {
	wrong := fixedKey("another client")
	secrets := []string{
		"s3cret", "gu3ss", hex.EncodeToString([]byte("s3cret")), hex.EncodeToString([]byte("gu3ss")),
		fmt.Sprint([]byte("s3cret")), fmt.Sprint([]byte("gu3ss")),
	}
	for _, k := range []curve.SecretKey{serverKey, clientKey, wrong} {
		secrets = append(secrets, k.Z85(), hex.EncodeToString(k[:6]), string(k[:6]), fmt.Sprint(k[:6]), fmt.Sprintf("%q", k[:6]))
	}
	for name, c := range map[string]struct {
		server, client zmtp.Mechanism
		good           bool
	}{
		"CURVE":               {curve.Server(serverKey), curve.Client(clientKey, serverKey.Public()), true},
		"CURVE, unknown":      {curve.Server(serverKey), curve.Client(wrong, serverKey.Public()), false},
		"CURVE, other server": {curve.Server(serverKey), curve.Client(clientKey, wrong.Public()), false},
		"PLAIN":               {zmtp.PlainServer(), zmtp.PlainClient("bob", "s3cret"), true},
		"PLAIN, wrong":        {zmtp.PlainServer(), zmtp.PlainClient("bob", "gu3ss"), false},
		"PLAIN to CURVE":      {curve.Server(serverKey), zmtp.PlainClient("bob", "s3cret"), false},
		"CURVE to PLAIN":      {zmtp.PlainServer(), curve.Client(clientKey, serverKey.Public()), false},
		"NULL to CURVE":       {curve.Server(serverKey), zmtp.Null(), false},
		"CURVE to NULL":       {zmtp.Null(), curve.Client(clientKey, serverKey.Public()), false},
	} {
		t.Run(name, func(t *testing.T) {
			s, heard := open(t, msgcore.Dealer, msgcore.Options{Mechanism: c.server, Authorize: admit("400")})
			bound, err := s.Bind(context.Background(), "tcp://127.0.0.1:*")
			require.NoError(t, err)
			p, theirs := open(t, msgcore.Dealer, msgcore.Options{Mechanism: c.client, Reconnect: msgcore.Reconnect{Interval: -1}})
			require.NoError(t, p.Connect(bound))
			kind := msgcore.HandshakeFailed
			if c.good {
				kind = msgcore.HandshakeSucceeded
			}
			for _, events := range []<-chan msgcore.Event{heard, theirs} {
				e := await(t, events, kind)
				if !c.good {
					require.Error(t, e.Err)
				}
				text := fmt.Sprintf("%v %+v %#v %s %q %x %v %+v", e, e, e, e.Err, e.Err, e.Err, e.Peer, e.Peer.Properties)
				for _, secret := range secrets {
					require.NotContains(t, text, secret)
				}
			}
			require.NoError(t, p.Close())
		})
	}
}

// What was recorded of one mechanism is of no use to a server of another.
func TestOtherMechanismsReplayed(t *testing.T) {
	lines := transcript(t)
	curveSays := bytes.Join(said(lines, "client", true), nil)
	hello := zmtp.AppendCommand(nil, zmtp.CommandHello, []byte("\x03bob\x06s3cret"))
	plainSays := zmtp.AppendCommand(hello, zmtp.CommandInitiate, zmtp.AppendProperties(nil, props("DEALER")))
	nullSays := zmtp.AppendCommand(nil, zmtp.CommandReady, zmtp.AppendProperties(nil, props("DEALER")))
	named := func(mechanism string) []byte {
		return zmtp.AppendGreeting(nil, zmtp.Greeting{Version: zmtp.Version{Major: 3, Minor: 1}, Mechanism: mechanism})
	}
	anybody := func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error) { return nil, nil }
	for name, c := range map[string]struct {
		server zmtp.Mechanism
		says   map[string][]byte
	}{
		"CURVE": {curve.Server(serverKey), map[string][]byte{"PLAIN": plainSays, "NULL": nullSays}},
		"PLAIN": {zmtp.PlainServer(), map[string][]byte{"CURVE": curveSays, "NULL": nullSays}},
		"NULL":  {zmtp.Null(), map[string][]byte{"CURVE": curveSays, "PLAIN": plainSays}},
	} {
		for other, says := range c.says {
			for _, greeted := range []string{name, other} { // as what it is, and as what is wanted
				s := &script{bytes.NewReader(append(named(greeted), says...)), make(chan []byte, 100)}
				_, err := zmtp.Handshake(context.Background(), s, &zmtp.Config{
					Mechanism: c.server, Accepting: true, Authorize: anybody, Properties: props("ROUTER"),
				})
				require.Error(t, err, "%s of %s, greeted as %s", name, other, greeted)
				require.NotContains(t, err.Error(), "s3cret")
			}
		}
	}
}
