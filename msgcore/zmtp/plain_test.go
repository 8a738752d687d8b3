package zmtp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// admitBob knows one user.
func admitBob(_ context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
	if len(r.Credentials) != 2 || string(r.Credentials[0]) != "bob" || string(r.Credentials[1]) != "s3cret" {
		return nil, errors.New("no such user")
	}
	return zmtp.Properties{zmtp.UserID: string(r.Credentials[0])}, nil
}

func plainGreeting() []byte {
	return zmtp.AppendGreeting(nil, zmtp.Greeting{Version: v31, Mechanism: "PLAIN"})
}

func TestPlain(t *testing.T) {
	var asked *zmtp.AuthRequest
	client, server := pair(t,
		&zmtp.Config{Mechanism: zmtp.PlainClient("bob", "s3cret"), Properties: props("REQ")},
		&zmtp.Config{Mechanism: zmtp.PlainServer(), Properties: props("REP"), Authorize: func(ctx context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
			asked = r
			return admitBob(ctx, r)
		}})
	require.Equal(t, &zmtp.AuthRequest{Address: "pipe", Mechanism: "PLAIN", Credentials: [][]byte{[]byte("bob"), []byte("s3cret")}}, asked)
	require.Equal(t, zmtp.Properties{zmtp.SocketType: "REQ", zmtp.UserID: "bob"}, server.Peer())
	require.Equal(t, props("REP"), client.Peer())
	require.Nil(t, client.Session(), "frames are plain")
	require.Nil(t, server.Session())
	go client.WriteMessage([]byte("a"), nil)
	m, err := server.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("a"), {}}, m)
}

func TestPlainRefuses(t *testing.T) {
	for _, c := range []struct {
		name, username, password string
		authorize                func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error)
		words                    string
	}{
		{"a wrong password", "bob", "S3cret", admitBob, "no such user"},
		{"a longer password", "bob", "s3cret0", admitBob, "no such user"},
		{"nothing", "", "", admitBob, "no such user"},
		{"everybody without a judge", "bob", "s3cret", nil, "set Config.Authorize"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ra, rb, _, _ := handshakes(t,
				&zmtp.Config{Mechanism: zmtp.PlainClient(c.username, c.password)},
				&zmtp.Config{Mechanism: zmtp.PlainServer(), Authorize: c.authorize})
			require.ErrorContains(t, rb.err, c.words)
			var rejected *zmtp.RejectedError
			require.ErrorAs(t, ra.err, &rejected)
			require.Equal(t, "400", rejected.Reason)
		})
	}
}

// NULL and PLAIN do not meet, from whichever side one tries.
func TestPlainIsNotTalkedDown(t *testing.T) {
	for _, m := range []zmtp.Mechanism{zmtp.PlainClient("bob", "s3cret"), zmtp.PlainServer()} {
		ra, rb, _, _ := handshakes(t, &zmtp.Config{Mechanism: m, Authorize: admitBob}, nil)
		requireRule(t, ra.err, "mechanism")
		requireRule(t, rb.err, "mechanism")
	}
	s := newScript(plainGreeting(), ready(props("DEALER")))
	_, err := zmtp.Handshake(context.Background(), s, &zmtp.Config{Mechanism: zmtp.PlainServer(), Authorize: admitBob})
	requireRule(t, err, "READY", "HELLO")
}

func TestPlainGoldenBytes(t *testing.T) {
	hello := unhex("04 11 05'HELLO' 03'bob' 06's3cret'")
	welcome := unhex("04 08 07'WELCOME'")
	initiate := unhex("04 1c 08'INITIATE' 0b'Socket-Type' 00000003'REQ'")
	readyRep := unhex("04 19 05'READY' 0b'Socket-Type' 00000003'REP'")

	s := newScript(plainGreeting(), welcome, readyRep)
	c, err := zmtp.Handshake(context.Background(), s, &zmtp.Config{Mechanism: zmtp.PlainClient("bob", "s3cret"), Properties: props("REQ")})
	require.NoError(t, err)
	require.Equal(t, props("REP"), c.Peer())
	require.Equal(t, bytes.Join([][]byte{plainGreeting(), hello, initiate}, nil), s.written())

	s = newScript(plainGreeting(), hello, initiate)
	c, err = zmtp.Handshake(context.Background(), s, &zmtp.Config{Mechanism: zmtp.PlainServer(), Properties: props("REP"), Authorize: admitBob})
	require.NoError(t, err)
	require.Equal(t, "bob", c.Peer().Get(zmtp.UserID))
	server := zmtp.AppendGreeting(nil, zmtp.Greeting{Version: v31, Mechanism: "PLAIN", Server: true})
	require.Equal(t, bytes.Join([][]byte{server, welcome, readyRep}, nil), s.written())
}

// libzmq 4.3.4 was seen to refuse a client with these bytes.
func TestPlainErrorOfLibzmq(t *testing.T) {
	frame := unhex("04 09 5e'RROR' 03'400'")
	_, err := zmtp.Handshake(context.Background(), newScript(plainGreeting(), frame), &zmtp.Config{Mechanism: zmtp.PlainClient("bob", "guess")})
	var rejected *zmtp.RejectedError
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, "400", rejected.Reason)
	for _, bad := range []string{"5e'RROR'", "5e'RROR' 04'400'"} {
		body := unhex(bad)
		frame := append(zmtp.AppendHeader(nil, zmtp.FlagCommand, len(body)), body...)
		_, err = zmtp.Handshake(context.Background(), newScript(plainGreeting(), frame), &zmtp.Config{Mechanism: zmtp.PlainClient("bob", "guess")})
		requireRule(t, err, "ERROR command")
	}
	_, err = zmtp.Handshake(context.Background(), newScript(greeting(v31), frame), nil)
	requireRule(t, err, "ends within its name")
}

func TestPlainMalformed(t *testing.T) {
	hello := unhex("04 11 05'HELLO' 03'bob' 06's3cret'")
	server := func(in ...[]byte) error {
		_, err := zmtp.Handshake(context.Background(), newScript(append([][]byte{plainGreeting()}, in...)...),
			&zmtp.Config{Mechanism: zmtp.PlainServer(), Authorize: admitBob})
		return err
	}
	client := func(in ...[]byte) error {
		_, err := zmtp.Handshake(context.Background(), newScript(append([][]byte{plainGreeting()}, in...)...),
			&zmtp.Config{Mechanism: zmtp.PlainClient("bob", "s3cret")})
		return err
	}
	for _, data := range []string{"", "00", "03'bo'", "03'bob'", "03'bob' 07's3cret'", "03'bob' 05's3cret'", "03'bob' 06's3cret' 00"} {
		requireRule(t, server(zmtp.AppendCommand(nil, "HELLO", unhex(data))), "HELLO of PLAIN")
	}
	requireRule(t, server(hello, hello), "HELLO", "INITIATE comes")
	requireRule(t, server(hello, zmtp.AppendCommand(nil, "INITIATE", []byte{0})), "property")
	requireRule(t, server(hello, unhex("00 02'hi'")), "message in the handshake")
	requireRule(t, client(hello), "HELLO", "WELCOME comes")
	requireRule(t, client(unhex("04 09 07'WELCOME' 00")), "WELCOME of PLAIN")
	requireRule(t, client(unhex("04 08 07'WELCOME'"), unhex("04 08 07'WELCOME'")), "READY comes")
	require.Error(t, server(hello[:len(hello)-1]))
	require.Error(t, client(unhex("04 08 07'WELCOME'")))
	for _, m := range []zmtp.Mechanism{zmtp.PlainClient(strings.Repeat("x", 256), ""), zmtp.PlainClient("", strings.Repeat("x", 256))} {
		_, err := zmtp.Handshake(context.Background(), newScript(plainGreeting()), &zmtp.Config{Mechanism: m})
		require.ErrorContains(t, err, "255 bytes")
		require.NotContains(t, err.Error(), "xx")
	}
}

func TestPlainIsNotPrinted(t *testing.T) {
	cfg := struct {
		Mechanism zmtp.Mechanism
		hidden    zmtp.Mechanism
	}{zmtp.PlainClient("bob", "s3cret"), zmtp.PlainClient("bob", "s3cret")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{cfg, &cfg, cfg.Mechanism} {
			out := fmt.Sprintf(verb, v)
			require.NotContains(t, out, "s3cret", verb)
			require.NotContains(t, out, "733363726574", verb)
		}
	}
}

// FuzzPlain lets arbitrary bytes be the client, or the server, of PLAIN.
func FuzzPlain(f *testing.F) {
	hello := unhex("04 11 05'HELLO' 03'bob' 06's3cret'")
	f.Add(append(bytes.Clone(hello), unhex("04 1c 08'INITIATE' 0b'Socket-Type' 00000003'REQ'")...), true)
	f.Add(hello, true)
	f.Add(unhex("04 08 05'HELLO' 0000"), true)
	f.Add(unhex("04 08 07'WELCOME' 04 19 05'READY' 0b'Socket-Type' 00000003'REP'"), false)
	f.Add(unhex("04 0a 05'ERROR' 03'400'"), false)
	f.Add(unhex("04 09 5e'RROR' 03'400'"), false)
	f.Fuzz(func(t *testing.T, b []byte, server bool) {
		cfg := &zmtp.Config{Mechanism: zmtp.PlainClient("bob", "s3cret"), Properties: props("REQ")}
		if server {
			cfg = &zmtp.Config{Mechanism: zmtp.PlainServer(), Properties: props("REP"), Authorize: admitBob}
		}
		c, err := zmtp.Handshake(context.Background(), newScript(plainGreeting(), b), cfg)
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "zmtp: "), err)
			return
		}
		if server {
			require.Equal(t, "bob", c.Peer().Get(zmtp.UserID))
			require.Contains(t, string(b), "\x05HELLO\x03bob\x06s3cret", "nobody else comes in")
		}
	})
}
