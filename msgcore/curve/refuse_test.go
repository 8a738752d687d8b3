package curve_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/nacl/box"
	"golang.org/x/crypto/nacl/secretbox"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// Every bit of every command of the handshake counts, be it sealed or not, and be it
// of the frame's header, of HELLO's version or of its padding.
func TestEveryFlippedBitIsRefused(t *testing.T) {
	lines := transcript(t)
	for _, s := range []side{clientSide, serverSide} {
		t.Run(s.name, func(t *testing.T) {
			in := said(lines, s.peer, true)
			_, good, err := s.replay(in...)
			require.NoError(t, err)
			for at, frame := range in {
				_, _, size, err := zmtp.ParseHeader(frame)
				require.NoError(t, err)
				data := size + 1 + int(frame[size])
				rules := map[string]bool{}
				for bit := range len(frame) * 8 {
					flipped := bytes.Clone(frame)
					flipped[bit/8] ^= 1 << (bit % 8)
					changed := append(append([][]byte{}, in[:at]...), flipped)
					changed = append(changed, in[at+1:]...)
					_, out, err := s.replay(changed...)
					require.Error(t, err, "command %d, bit %d", at, bit)
					require.LessOrEqual(t, len(out), len(good))
					require.Equal(t, good[:len(out)], out, "nothing is said about it")
					require.Less(t, len(out), 2+at)
					if bit/8 >= data {
						rules[err.Error()] = true
					}
				}
				require.Len(t, rules, 1, "the error does not tell which check failed: %v", rules)
			}
		})
	}
}

func TestTruncatedReplayedAndReordered(t *testing.T) {
	lines := transcript(t)
	for _, s := range []side{clientSide, serverSide} {
		t.Run(s.name, func(t *testing.T) {
			in := said(lines, s.peer, true)
			refuse := func(in ...[]byte) {
				t.Helper()
				_, _, err := s.replay(in...)
				require.Error(t, err)
			}
			refuse()
			refuse(in[0])
			refuse(in[1])
			refuse(in[1], in[0])
			refuse(in[0], in[0])
			refuse(in[0], in[0], in[1])
			for at, frame := range in {
				_, n, size, err := zmtp.ParseHeader(frame)
				require.NoError(t, err)
				name, data, err := zmtp.ParseCommand(frame[size : size+int(n)])
				require.NoError(t, err)
				for cut := range data {
					short := zmtp.AppendCommand(nil, name, data[:cut])
					refuse(append(append([][]byte{}, in[:at]...), short, in[1])...)
				}
				long := zmtp.AppendCommand(nil, name, append(bytes.Clone(data), 0))
				refuse(append(append([][]byte{}, in[:at]...), long, in[1])...)
				other := zmtp.AppendCommand(nil, "READY0", data)
				refuse(append(append([][]byte{}, in[:at]...), other, in[1])...)
			}
		})
	}
	// A whole handshake that was heard is of no use on another connection.
	script := newScript(said(lines, "client", true)...)
	_, err := zmtp.Handshake(context.Background(), script, serverSide.config())
	requireRule(t, err)
	require.ErrorContains(t, err, "INITIATE")
	script = newScript(said(lines, "server", true)...)
	_, err = zmtp.Handshake(context.Background(), script, clientSide.config())
	requireRule(t, err)
	require.ErrorContains(t, err, "WELCOME")
}

// A rogue makes commands that are well sealed, and wrong. It knows what nobody
// knows: the random bytes of both sides.
type rogue struct {
	client, server           curve.SecretKey // C and S, as the rogue wants them
	clientShort, serverShort curve.SecretKey
	cookie                   []byte
}

func newRogue(t testing.TB) *rogue {
	s := fixed("server's random bytes", 96)
	r := &rogue{
		client: clientKey, server: serverKey,
		clientShort: curve.SecretKey(fixed("client's random bytes", 32)), serverShort: curve.SecretKey(s),
	}
	r.cookie = r.cookieFor(r.clientShort.Public(), r.serverShort)
	return r
}

func (r *rogue) cookieFor(client curve.PublicKey, server curve.SecretKey) []byte {
	s := fixed("server's random bytes", 96)
	var key [32]byte
	var nonce [24]byte
	copy(key[:], s[32:])
	copy(nonce[:], "COOKIE--")
	copy(nonce[8:], s[64:])
	return secretbox.Seal(bytes.Clone(nonce[8:]), append(bytes.Clone(client[:]), server[:]...), &nonce, &key)
}

func seal(message []byte, prefix string, tail []byte, theirs curve.PublicKey, mine curve.SecretKey) []byte {
	var nonce [24]byte
	copy(nonce[copy(nonce[:], prefix):], tail)
	return box.Seal(nil, message, &nonce, (*[32]byte)(&theirs), (*[32]byte)(&mine))
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func (r *rogue) hello(n uint64, version []byte, pad, zeros []byte, short curve.PublicKey) []byte {
	data := append(append([]byte{}, version...), pad...)
	data = append(data, short[:]...)
	data = append(data, number(n)...)
	data = append(data, seal(zeros, "CurveZMQHELLO---", number(n), r.server.Public(), r.clientShort)...)
	return zmtp.AppendCommand(nil, "HELLO", data)
}

func (r *rogue) goodHello(n uint64) []byte {
	return r.hello(n, []byte{1, 0}, make([]byte, 72), make([]byte, 64), r.clientShort.Public())
}

// initiate says that public is C, and vouches with vouch.
func (r *rogue) initiate(n uint64, public curve.PublicKey, vouch []byte, metadata string) []byte {
	random := fixed("client's random bytes", 48)[32:]
	plain := append(append([]byte{}, public[:]...), random...)
	plain = append(plain, seal(vouch, "VOUCH---", random, r.serverShort.Public(), r.client)...)
	plain = append(plain, metadata...)
	data := append(bytes.Clone(r.cookie), number(n)...)
	data = append(data, seal(plain, "CurveZMQINITIATE", number(n), r.serverShort.Public(), r.clientShort)...)
	return zmtp.AppendCommand(nil, "INITIATE", data)
}

func (r *rogue) vouch() []byte {
	short, server := r.clientShort.Public(), r.server.Public()
	return append(append([]byte{}, short[:]...), server[:]...)
}

const dealerWithID = "\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x04myid"

func TestServerRefusesRogues(t *testing.T) {
	lines := transcript(t)
	r := newRogue(t)
	good := r.initiate(2, clientKey.Public(), r.vouch(), dealerWithID)
	require.Equal(t, said(lines, "client", true), [][]byte{r.goodHello(1), good}, "it is a good one, too")

	var texts []string
	refuse := func(name string, frames ...[]byte) {
		t.Helper()
		_, out, err := serverSide.replay(frames...)
		requireRule(t, err)
		require.Less(t, len(out), len(frames)+1, name)
		texts = append(texts, err.Error())
	}
	pad, zeros := make([]byte, 72), make([]byte, 64)
	for _, version := range [][]byte{{0, 0}, {1, 1}, {2, 0}} {
		refuse("version", r.hello(1, version, pad, zeros, r.clientShort.Public()))
	}
	for _, at := range []int{0, 35, 71} {
		dirty := make([]byte, 72)
		dirty[at] = 1
		refuse("padding", r.hello(1, []byte{1, 0}, dirty, zeros, r.clientShort.Public()))
	}
	for _, at := range []int{0, 63} {
		dirty := make([]byte, 64)
		dirty[at] = 1
		refuse("sealed zeros", r.hello(1, []byte{1, 0}, pad, dirty, r.clientShort.Public()))
	}
	for _, k := range lowOrder(t) {
		var shared [32]byte
		box.Precompute(&shared, (*[32]byte)(&k), (*[32]byte)(&clientKey))
		var nonce [24]byte
		copy(nonce[:], "CurveZMQHELLO---\x00\x00\x00\x00\x00\x00\x00\x01")
		data := append([]byte{1, 0}, pad...)
		data = append(append(data, k[:]...), number(1)...)
		data = box.SealAfterPrecomputation(data, zeros, &nonce, &shared)
		refuse("low order", zmtp.AppendCommand(nil, "HELLO", data))
	}
	stranger := newRogue(t)
	stranger.server = fixedKey("another server")
	refuse("another server", stranger.goodHello(1))
	for _, text := range texts {
		require.Equal(t, texts[0], text)
	}
	require.Contains(t, texts[0], "HELLO")

	texts = nil
	hello := r.goodHello(1)
	other := fixedKey("another client")
	short, server, otherPublic := r.clientShort.Public(), serverKey.Public(), other.Public()
	refuse("vouches for another short-term key", hello, r.initiate(2, clientKey.Public(), append(otherPublic[:], server[:]...), dealerWithID))
	refuse("vouches for another server", hello, r.initiate(2, clientKey.Public(), append(short[:], otherPublic[:]...), dealerWithID))
	refuse("says that it is another client", hello, r.initiate(2, otherPublic, r.vouch(), dealerWithID))
	for _, k := range lowOrder(t) {
		refuse("says that it is a client whose secret all know", hello, r.initiate(2, k, r.vouch(), dealerWithID))
	}
	refuse("number not risen", r.goodHello(2), good)
	refuse("number not risen", r.goodHello(3), good)
	refuse("number not risen", hello, r.initiate(1, clientKey.Public(), r.vouch(), dealerWithID))
	refuse("number not risen", hello, r.initiate(0, clientKey.Public(), r.vouch(), dealerWithID))
	refuse("bad properties", hello, r.initiate(2, clientKey.Public(), r.vouch(), dealerWithID[:20]))
	refuse("bad properties", hello, r.initiate(2, clientKey.Public(), r.vouch(), "\x00"))
	cookies := newRogue(t)
	cookies.cookie = fixed("cookie", 96)
	refuse("a cookie of nobody's", hello, cookies.initiate(2, clientKey.Public(), r.vouch(), dealerWithID))
	cookies.cookie = r.cookieFor(otherPublic, r.serverShort)
	refuse("a cookie of somebody else's", hello, cookies.initiate(2, clientKey.Public(), r.vouch(), dealerWithID))
	for _, text := range texts {
		require.Equal(t, texts[0], text)
	}
	require.Contains(t, texts[0], "INITIATE")
}

// Keys that do not fit, from both sides, told without a secret.
func TestWrongKeys(t *testing.T) {
	good := curve.Client(clientKey, serverKey.Public())
	for _, c := range []struct {
		name           string
		client, server zmtp.Mechanism
		words          [2]string // of the client's and the server's error
	}{
		{"another server's key", curve.Client(clientKey, clientKey.Public()), curve.Server(serverKey), [2]string{"closed the connection", "HELLO"}},
		{"no server's key", curve.Client(clientKey, curve.PublicKey{}), curve.Server(serverKey), [2]string{"without a server's public key", "closed"}},
		{"no key of the client's", curve.Client(curve.SecretKey{}, serverKey.Public()), curve.Server(serverKey), [2]string{"without a secret key", "closed"}},
		{"no key of the server's", good, curve.Server(curve.SecretKey{}), [2]string{"closed", "without a secret key"}},
		{"NULL instead of a server", good, zmtp.Null(), [2]string{`"NULL"`, `"CURVE"`}},
		{"PLAIN instead of a client", zmtp.PlainClient("bob", "s3cret"), curve.Server(serverKey), [2]string{`"CURVE"`, `"PLAIN"`}},
		{"two clients", good, good, [2]string{"WELCOME", "WELCOME"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ra, rb := handshakes(t, &zmtp.Config{Mechanism: c.client}, &zmtp.Config{Mechanism: c.server})
			for i, err := range []error{ra.err, rb.err} {
				require.Error(t, err)
				if c.name != "two clients" { // of whom one may be the quicker
					require.ErrorContains(t, err, c.words[i])
				}
				require.True(t, strings.HasPrefix(err.Error(), "zmtp: "), err)
				require.NotContains(t, err.Error(), clientKey.Z85())
				require.NotContains(t, err.Error(), "s3cret")
			}
		})
	}
}

func TestAuthorizeByKey(t *testing.T) {
	known := map[curve.PublicKey]string{clientKey.Public(): "bob"}
	server := &zmtp.Config{
		Mechanism: curve.Server(serverKey), Properties: props("REP"),
		Authorize: func(_ context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
			require.Equal(t, "CURVE", r.Mechanism)
			require.Len(t, r.Credentials, 1)
			name, ok := known[curve.PublicKey(r.Credentials[0])]
			if !ok {
				return nil, errors.New("unknown key")
			}
			return zmtp.Properties{zmtp.UserID: name}, nil
		},
	}
	ra, rb := handshakes(t, &zmtp.Config{Mechanism: curve.Client(clientKey, serverKey.Public()), Properties: props("REQ")}, server)
	require.NoError(t, ra.err)
	require.NoError(t, rb.err)
	require.Equal(t, "bob", rb.conn.Peer().Get(zmtp.UserID))

	ra, rb = handshakes(t, &zmtp.Config{Mechanism: curve.Client(fixedKey("another client"), serverKey.Public())}, server)
	require.ErrorContains(t, rb.err, "unknown key")
	var rejected *zmtp.RejectedError
	require.ErrorAs(t, ra.err, &rejected)
	require.Equal(t, "400", rejected.Reason)
}

// FuzzHandshake lets arbitrary bytes be what comes from the first or the second
// command on, in either role.
func FuzzHandshake(f *testing.F) {
	lines := transcript(f)
	for mode := range byte(4) {
		s := []side{clientSide, serverSide}[mode%2]
		f.Add(bytes.Join(said(lines, s.peer, true)[mode/2:], nil), mode)
	}
	f.Add(zmtp.AppendError(nil, "400"), byte(0))
	f.Add(zmtp.AppendCommand(nil, "INITIATE", make([]byte, 300)), byte(3))
	f.Fuzz(func(t *testing.T, b []byte, mode byte) {
		s := []side{clientSide, serverSide}[mode%2]
		good := said(lines, s.peer, true)
		before := good[:mode/2%2]
		_, _, err := s.replay(append(append([][]byte{}, before...), b)...)
		whole := bytes.Join(append(append([][]byte{}, before...), b), nil)
		if bytes.HasPrefix(whole, bytes.Join(good, nil)) {
			require.NoError(t, err)
			return
		}
		require.Error(t, err, "nobody can make these up")
		require.True(t, strings.HasPrefix(err.Error(), "zmtp: "), err)
	})
}
