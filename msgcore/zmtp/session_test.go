package zmtp_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// toy is a mechanism with roles and sealed frames, to try the seams where real ones
// will sit: HELLO with a password, READY back, then frames with each bit flipped.
type toy struct {
	name     string
	server   bool
	password string
	lazy     bool // leaves Check to Handshake
	empty    bool // ends without a session
}

func (m *toy) Name() string { return m.name }
func (m *toy) Server() bool { return m.server }

func (m *toy) Handshake(ctx context.Context, c zmtp.HandshakeConn, local zmtp.Properties) (zmtp.Session, error) {
	if !m.server {
		if err := c.WriteCommand(zmtp.Command{Name: zmtp.CommandHello, Data: []byte(m.password)}); err != nil {
			return nil, err
		}
		if err := c.WriteCommand(zmtp.Command{Name: zmtp.CommandInitiate, Data: zmtp.AppendProperties(nil, local)}); err != nil {
			return nil, err
		}
	} else {
		hello, err := c.ReadCommand()
		if err != nil {
			return nil, err
		}
		if err := c.Authorize(ctx, hello.Data); err != nil {
			return nil, err
		}
	}
	cmd, err := c.ReadCommand()
	if err != nil {
		return nil, err
	}
	peer, err := zmtp.ParseProperties(cmd.Data)
	if err != nil {
		return nil, err
	}
	if !m.lazy {
		if err := c.Check(peer); err != nil {
			return nil, err
		}
	}
	if m.server {
		if err := c.WriteCommand(zmtp.Command{Name: zmtp.CommandReady, Data: zmtp.AppendProperties(nil, local)}); err != nil {
			return nil, err
		}
	}
	if m.empty {
		return nil, nil
	}
	return flipped{peer}, nil
}

type flipped struct{ peer zmtp.Properties }

func (s flipped) Peer() zmtp.Properties { return s.peer }

func (s flipped) Seal(dst []byte, f zmtp.Frame) ([]byte, error) {
	var flags byte
	if f.More {
		flags = 1
	}
	if f.Command {
		flags = 2
	}
	dst = zmtp.AppendHeader(dst, 0, 1+len(f.Body))
	dst = append(dst, ^flags)
	for _, c := range f.Body {
		dst = append(dst, ^c)
	}
	return dst, nil
}

var errForged = errors.New("toy: forged frame")

func (s flipped) Open(body []byte) (zmtp.Frame, error) {
	if len(body) == 0 || ^body[0] > 2 {
		return zmtp.Frame{}, errForged
	}
	flags := ^body[0]
	body = body[1:]
	for i := range body {
		body[i] = ^body[i]
	}
	return zmtp.Frame{More: flags == 1, Command: flags == 2, Body: body}, nil
}

func admitSecret(_ context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
	if len(r.Credentials) != 1 || string(r.Credentials[0]) != "secret" {
		return nil, errors.New("wrong password")
	}
	return zmtp.Properties{zmtp.UserID: "bob"}, nil
}

func TestMechanismWithRoles(t *testing.T) {
	for _, lazy := range []bool{false, true} {
		checks := 0
		check := func(p zmtp.Properties) error {
			checks++
			require.Equal(t, "bob", p.Get(zmtp.UserID))
			return nil
		}
		client, server := pair(t,
			&zmtp.Config{Mechanism: &toy{name: "TOY", password: "secret"}, Properties: props("REQ")},
			&zmtp.Config{Mechanism: &toy{name: "TOY", server: true, lazy: lazy}, Properties: props("REP"), Authorize: admitSecret, Check: check})
		require.Equal(t, 1, checks)
		require.Equal(t, zmtp.Properties{zmtp.SocketType: "REQ", zmtp.UserID: "bob"}, server.Peer())
		require.Equal(t, props("REP"), client.Peer())
		require.NotNil(t, client.Session())

		large := bytes.Repeat([]byte("large"), 50_000)
		go func() {
			client.WriteCommand(zmtp.CommandPing, []byte{0, 0, 'c'})
			client.WriteCommand("UNKNOWN", nil)
			client.WriteMessage([]byte("a"), nil, large)
		}()
		ponged := make(chan zmtp.Frame, 1)
		go func() {
			f, _ := client.ReadAny()
			ponged <- f
		}()
		m, err := server.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, [][]byte{[]byte("a"), {}, large}, m)
		require.Equal(t, zmtp.Frame{Command: true, Body: unhex("04'PONG''c'")}, <-ponged, "sealed as well")
	}
}

func TestMechanismRefuses(t *testing.T) {
	var rejected *zmtp.RejectedError
	ra, rb, _, _ := handshakes(t,
		&zmtp.Config{Mechanism: &toy{name: "TOY", password: "guess"}},
		&zmtp.Config{Mechanism: &toy{name: "TOY", server: true}, Authorize: admitSecret})
	require.Error(t, rb.err)
	// The client was still writing when the server answered.
	require.ErrorContains(t, rb.err, "wrong password")
	require.Error(t, ra.err)

	// A client that is refused by the check hears it instead of READY.
	no := errors.New("no")
	for _, lazy := range []bool{false} {
		ra, rb, _, _ = handshakes(t,
			&zmtp.Config{Mechanism: &toy{name: "TOY"}},
			&zmtp.Config{Mechanism: &toy{name: "TOY", server: true, lazy: lazy}, Check: func(zmtp.Properties) error { return no }})
		require.ErrorIs(t, rb.err, no)
		require.ErrorAs(t, ra.err, &rejected)
		require.Equal(t, "no", rejected.Reason)
	}

	ra, rb, _, _ = handshakes(t,
		&zmtp.Config{Mechanism: &toy{name: "TOY"}},
		&zmtp.Config{Mechanism: &toy{name: "TOY", server: true, empty: true}})
	require.ErrorContains(t, rb.err, "without a session")
	_ = ra // may have had its READY
}

// Over a sealed connection nothing is believed that did not come out of a seal.
func TestUnsealedFramesAreNotObeyed(t *testing.T) {
	s := newScript(
		zmtp.AppendGreeting(nil, zmtp.Greeting{Version: v31, Mechanism: "TOY", Server: true}),
		ready(props("REP")),
		zmtp.AppendPing(nil, 0, []byte("forged")),
	)
	c, err := zmtp.Handshake(context.Background(), s, &zmtp.Config{Mechanism: &toy{name: "TOY"}})
	require.NoError(t, err)
	before := s.written()
	_, err = c.ReadAny()
	require.ErrorIs(t, err, errForged)
	_, err = c.ReadFrame()
	require.ErrorIs(t, err, errForged, "final")
	require.NoError(t, c.Close())
	require.Equal(t, before, s.written(), "no PONG")
}

func TestPlainSession(t *testing.T) {
	s := zmtp.PlainSession(props("REQ"))
	require.Equal(t, props("REQ"), s.Peer())
	b, err := s.Seal([]byte("x"), zmtp.Frame{More: true, Body: []byte("hi")})
	require.NoError(t, err)
	require.Equal(t, unhex("'x' 01 02 'hi'"), b)
}
