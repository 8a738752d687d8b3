package msgcore_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// zapHandler answers every request as answer does, in a name space of its own.
func zapHandler(t *testing.T, typ msgcore.Type, answer func(request [][]byte) [][]byte) *transport.Space {
	t.Helper()
	space := new(transport.Space)
	s := open(t, typ, &msgcore.Options{Inproc: space})
	bindTo(t, s, msgcore.ZAPEndpoint)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		for {
			m, err := s.Recv(ctx)
			if err != nil {
				return
			}
			frames := m.Frames
			var envelope [][]byte
			if typ == msgcore.Router {
				envelope, frames = frames[:2], frames[2:]
			}
			if s.Send(ctx, append(envelope, answer(frames)...)...) != nil {
				return
			}
		}
	}()
	return space
}

func TestZAPAdmits(t *testing.T) {
	for _, typ := range []msgcore.Type{msgcore.Rep, msgcore.Router} {
		var asked [][]byte
		space := zapHandler(t, typ, func(request [][]byte) [][]byte {
			for _, f := range request {
				asked = append(asked, bytes.Clone(f))
			}
			metadata := zmtp.AppendProperties(nil, zmtp.Properties{"X-Group": "staff"})
			return [][]byte{request[0], request[1], []byte("200"), []byte("OK"), []byte("bob"), metadata}
		})
		server := open(t, msgcore.Rep, &msgcore.Options{
			Mechanism: zmtp.PlainServer(),
			Authorize: msgcore.ZAPAuthorizer(&msgcore.ZAPOptions{Domain: "global", Inproc: space}),
		})
		client := open(t, msgcore.Req, &msgcore.Options{Mechanism: zmtp.PlainClient("bob", "s3cret")})
		require.NoError(t, client.Connect(bindTo(t, server, "tcp://127.0.0.1:*")))
		ctx := limited(t)
		require.NoError(t, client.Send(ctx, []byte("hello")))
		m, err := server.Recv(ctx)
		require.NoError(t, err)
		require.Equal(t, "hello", string(m.Bytes()))
		require.Equal(t, []string{"1.0", "1", "global", "127.0.0.1", "", "PLAIN", "bob", "s3cret"},
			strings.Split(string(bytes.Join(asked, []byte("|"))), "|"))
	}
}

func TestZAPDecides(t *testing.T) {
	reply := [][]byte{[]byte("1.0"), []byte("1"), []byte("200"), []byte("text"), []byte("bob"), nil}
	with := func(i int, value string) [][]byte {
		changed := append([][]byte{}, reply...)
		changed[i] = []byte(value)
		return changed
	}
	for _, c := range []struct {
		name   string
		reply  [][]byte
		reason string // of the refusal
		want   zmtp.Properties
	}{
		{"admitted", reply, "", zmtp.Properties{zmtp.UserID: "bob"}},
		{"admitted without a name", with(4, ""), "", zmtp.Properties{}},
		{"come again", with(2, "300"), "300", nil},
		{"no", with(2, "400"), "400", nil},
		{"out of order", with(2, "500"), "500", nil},
		{"unknown status", with(2, "201"), "500", nil},
		{"empty status", with(2, ""), "500", nil},
		{"another version", with(0, "2.0"), "500", nil},
		{"another request", with(1, "2"), "500", nil},
		{"bad metadata", with(5, "\x05"), "500", nil},
		{"too short", reply[:5], "500", nil},
		{"too long", append(with(4, "bob"), nil), "500", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			space := zapHandler(t, msgcore.Rep, func([][]byte) [][]byte { return c.reply })
			got, err := msgcore.ZAPAuthorizer(&msgcore.ZAPOptions{Inproc: space})(limited(t), &zmtp.AuthRequest{Mechanism: "NULL"})
			if c.reason == "" {
				require.NoError(t, err)
				require.Equal(t, c.want, got)
				return
			}
			var rejected *zmtp.RejectedError
			require.ErrorAs(t, err, &rejected)
			require.Equal(t, c.reason, rejected.Reason)
			require.Nil(t, got)
		})
	}
}

// Without a handler nobody comes in, and nobody is told that it is for good.
func TestZAPWithoutHandler(t *testing.T) {
	ctx, cancel := context.WithCancel(limited(t))
	cancel()
	_, err := msgcore.ZAPAuthorizer(&msgcore.ZAPOptions{Inproc: new(transport.Space)})(ctx, &zmtp.AuthRequest{})
	require.ErrorIs(t, err, context.Canceled)
	var rejected *zmtp.RejectedError
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, "300", rejected.Reason)
}
