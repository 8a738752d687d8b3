package curve_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// NaCl's own test vectors (Cryptography in NaCl, sections 5 to 10).
func TestNaClVectors(t *testing.T) {
	alice := curve.SecretKey(unhex(t, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
	bob := curve.SecretKey(unhex(t, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
	require.Equal(t, unhex(t, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), publicBytes(alice))
	require.Equal(t, unhex(t, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), publicBytes(bob))
	first := unhex(t, "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
	for _, pair := range [][2]curve.SecretKey{{alice, bob}, {bob, alice}} {
		key, ok := curve.Precompute(pair[0], pair[1].Public())
		require.True(t, ok)
		require.Equal(t, first, key[:])
	}
}

// lowOrder are public keys whose secret with anybody is known to everybody.
func lowOrder(t testing.TB) (keys []curve.PublicKey) {
	for _, s := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		keys = append(keys, curve.PublicKey(unhex(t, s)))
	}
	return keys
}

func TestLowOrderKeys(t *testing.T) {
	for _, k := range lowOrder(t) {
		_, ok := curve.Precompute(serverKey, k)
		require.False(t, ok, "%x", k[:])
	}
	public := clientKey.Public()
	_, ok := curve.Precompute(serverKey, public)
	require.True(t, ok)
	public[31] |= 0x80
	_, ok = curve.Precompute(serverKey, public)
	require.False(t, ok, "no way to write the same key twice")
}

// Whatever the size, and whatever the processor can do, a frame is the secret box
// that NaCl makes of it.
func TestFramesAreSecretBoxes(t *testing.T) {
	widths, set, restore := curve.Widths()
	defer restore()
	for _, w := range widths {
		t.Run(w, func(t *testing.T) {
			set(w)
			testFramesAreSecretBoxes(t)
		})
	}
}

func testFramesAreSecretBoxes(t *testing.T) {
	key := [32]byte(fixed("key", 32))
	text := fixed("text", 80_000)
	client, server := curve.NewSession(key, false), curve.NewSession(key, true)
	for n := range 700 {
		body := text[n : 2*n]
		if n%50 == 49 {
			body = text[:n*113]
		}
		sealed, err := client.Seal(nil, zmtp.Frame{Body: body, More: n%3 == 1, Command: n%3 == 2})
		require.NoError(t, err)
		_, _, size, err := zmtp.ParseHeader(sealed)
		require.NoError(t, err)
		require.Equal(t, want(&key, "CurveZMQMESSAGEC", uint64(n+1), byte(n%3), body), sealed[size:])
		got, err := server.Open(sealed[size:])
		require.NoError(t, err)
		require.Equal(t, zmtp.Frame{Body: append([]byte{}, body...), More: n%3 == 1, Command: n%3 == 2}, got)
		require.Equal(t, len(got.Body), cap(got.Body))

		// A peer may leave numbers out, few or very many.
		number := uint64(n+1) + uint64(n/20)*13
		if n >= 600 {
			number += 1<<63 + uint64(n)<<32
		}
		reply := want(&key, "CurveZMQMESSAGES", number, byte(n%3), body)
		got, err = client.Open(reply)
		require.NoError(t, err)
		require.Equal(t, append([]byte{}, body...), got.Body)
	}
}

// want is a MESSAGE as RFC 26 defines it.
func want(key *[32]byte, prefix string, number uint64, flags byte, body []byte) []byte {
	var nonce [24]byte
	copy(nonce[:], prefix)
	for i := range 8 {
		nonce[23-i] = byte(number >> (8 * i))
	}
	out := append([]byte("\x07MESSAGE"), nonce[16:]...)
	return secretbox.Seal(out, append([]byte{flags}, body...), &nonce, key)
}
