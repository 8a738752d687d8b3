package curve_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

func TestGenerateKey(t *testing.T) {
	seen := map[curve.PublicKey]bool{{}: true}
	for range 20 {
		public, secret, err := curve.GenerateKey()
		require.NoError(t, err)
		require.False(t, seen[public])
		seen[public] = true
		require.Equal(t, public, secret.Public())

		p, err := curve.ParsePublicKey(public.String())
		require.NoError(t, err)
		require.True(t, p.Equal(public))
		s, err := curve.ParseSecretKey(secret.Z85())
		require.NoError(t, err)
		require.True(t, s.Equal(secret))
		s[7] ^= 4
		p[31] ^= 1
		require.False(t, p.Equal(public))
		require.False(t, s.Equal(secret))
	}
}

// The key pair of libzmq's examples and the one of NaCl's own test (RFC 7748, 6.1).
func TestPublicKeyOfSecret(t *testing.T) {
	secret, err := curve.ParseSecretKey("D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")
	require.NoError(t, err)
	require.Equal(t, "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", secret.Public().String())

	alice := unhex(t, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
	require.Equal(t, unhex(t, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), publicBytes(curve.SecretKey(alice)))
}

func publicBytes(k curve.SecretKey) []byte {
	public := k.Public()
	return public[:]
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestParseKeyRefuses(t *testing.T) {
	for _, s := range []string{"", "short", strings.Repeat("0", 39), strings.Repeat("0", 41), strings.Repeat("#", 40), strings.Repeat(" ", 40)} {
		var p curve.PublicKey
		var k curve.SecretKey
		_, err := curve.ParsePublicKey(s)
		require.ErrorContains(t, err, "curve: ")
		require.Equal(t, err, p.UnmarshalText([]byte(s)))
		_, err = curve.ParseSecretKey(s)
		require.ErrorContains(t, err, "curve: ")
		require.Equal(t, err, k.UnmarshalText([]byte(s)))
		require.Zero(t, p)
		require.Zero(t, k)
		if s != "" {
			require.NotContains(t, err.Error(), s)
		}
	}
}

// Neither a key nor what is made of it can be printed by accident.
func TestSecretsAreNotPrinted(t *testing.T) {
	type config struct {
		Key       curve.SecretKey
		Mechanism zmtp.Mechanism
		hidden    []zmtp.Mechanism
	}
	c := config{serverKey, curve.Server(serverKey), []zmtp.Mechanism{curve.Server(serverKey), curve.Client(serverKey, clientKey.Public())}}
	client, _ := pair(t)
	values := []any{
		c, &c, c.Key, &c.Key, c.Mechanism, c.hidden,
		msgcore.Options{Mechanism: c.Mechanism},
		&msgcore.Options{Mechanism: c.hidden[1]},
		map[string]any{"key": c.Key},
		[]curve.SecretKey{c.Key},
		curve.Certificate{Secret: serverKey},
		&curve.Certificate{Secret: serverKey},
		client.Session(),
	}
	forms := []string{
		serverKey.Z85(), hex.EncodeToString(serverKey[:4]), strings.ToUpper(hex.EncodeToString(serverKey[:4])),
		fmt.Sprint([]byte(serverKey[:4]))[1:10], fmt.Sprintf("%#v", serverKey[:3])[7:],
		string(serverKey[:4]), fmt.Sprintf("%q", serverKey[:4])[1:8],
	}
	check := func(out, how string) {
		for _, form := range forms {
			require.NotContains(t, out, form, how)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%c", "%b", "%o", "%U"} {
		for _, v := range values {
			check(fmt.Sprintf(verb, v), verb)
		}
	}
	require.Equal(t, "SecretKey(hidden) SecretKey(hidden)", fmt.Sprintf("%v %#v", c.Key, c.Key))
	require.Equal(t, "SecretKey(hidden)", c.Key.String())
	require.Equal(t, "SecretKey(hidden)", c.Key.GoString())
	_, err := json.Marshal(c.Key)
	require.ErrorContains(t, err, "curve: ")
	var text, j strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&j, nil)} {
		slog.New(h).Info("starting", "key", c.Key, "config", msgcore.Options{}.Mechanism, "certificate", curve.Certificate{Secret: serverKey})
	}
	check(text.String(), "slog as text")
	check(j.String(), "slog as JSON")
	out, err := json.Marshal(serverKey.Public())
	require.NoError(t, err)
	var back curve.PublicKey
	require.NoError(t, json.Unmarshal(out, &back))
	require.Equal(t, serverKey.Public(), back)
}
