package zmtp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// What libzmq 4.3 was seen to send.
func TestGoldenBytes(t *testing.T) {
	mine := zmtp.Properties{zmtp.SocketType: "REQ", zmtp.Identity: "myid"}
	message := func(frames ...string) (b []byte) {
		for i, f := range frames {
			var flags byte
			if i < len(frames)-1 {
				flags = zmtp.FlagMore
			}
			b = append(zmtp.AppendHeader(b, flags, len(f)), f...)
		}
		return b
	}
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"greeting 3.1", greeting(v31), "ff00000000000000017f 03 01 4e554c4c" + strings.Repeat("00", 48)},
		{"READY of a SUB", ready(props("SUB")), "04 19 05'READY' 0b'Socket-Type' 00000003'SUB'"},
		{"READY of a REQ with an id", ready(mine), "04 2a 05'READY' 0b'Socket-Type' 00000003'REQ' 08'Identity' 00000004'myid'"},
		{"ERROR", zmtp.AppendError(nil, "400"), "04 0a 05'ERROR' 03'400'"},
		{"SUBSCRIBE", zmtp.AppendSubscribe(nil, []byte("AB"), v31), "040c 09'SUBSCRIBE'4142"},
		{"SUBSCRIBE to what comes after", zmtp.AppendSubscribe(nil, []byte("AB"), zmtp.Version{Major: 4}), "040c 09'SUBSCRIBE'4142"},
		{"CANCEL", zmtp.AppendCancel(nil, []byte("AB"), v31), "0409 06'CANCEL'4142"},
		{"subscribe to 3.0", zmtp.AppendSubscribe(nil, []byte("AB"), v30), "0003 014142"},
		{"cancel to 3.0", zmtp.AppendCancel(nil, []byte("AB"), v30), "0003 004142"},
		{"PING", zmtp.AppendPing(nil, 5*time.Second, nil), "0407 04'PING' 0032"},
		{"PONG", zmtp.AppendPong(nil, nil), "0405 04'PONG'"},
		{"JOIN", zmtp.AppendCommand(nil, zmtp.CommandJoin, []byte("grp")), "0408 04'JOIN' 677270"},
		{"LEAVE", zmtp.AppendCommand(nil, zmtp.CommandLeave, []byte("grp")), "0409 05'LEAVE' 677270"},
		{"group and body", message("grp", "HELLO"), "0103 677270 | 0005 48454c4c4f"},
		{"envelope of a REQ", message("", "hi"), "0100 | 0002 6869"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, unhex(c.want), c.got) })
	}
}

// The same bytes, read.
func TestGoldenBytesRead(t *testing.T) {
	g, size, err := zmtp.ParseGreeting(unhex("ff00000000000000057f 03 01 4e554c4c" + strings.Repeat("00", 48)))
	require.NoError(t, err)
	require.Equal(t, zmtp.GreetingSize, size)
	require.Equal(t, zmtp.Greeting{Version: v31, Mechanism: "NULL"}, g)

	name, data, err := zmtp.ParseCommand(unhex("05'READY' 0b'Socket-Type' 00000003'REQ' 08'Identity' 00000004'myid'"))
	require.NoError(t, err)
	require.Equal(t, zmtp.CommandReady, name)
	p, err := zmtp.ParseProperties(data)
	require.NoError(t, err)
	require.Equal(t, zmtp.Properties{zmtp.SocketType: "REQ", zmtp.Identity: "myid"}, p)

	name, data, err = zmtp.ParseCommand(unhex("04'PING' 0032"))
	require.NoError(t, err)
	require.Equal(t, zmtp.CommandPing, name)
	ttl, context, err := zmtp.ParsePing(data)
	require.NoError(t, err)
	require.Equal(t, 5*time.Second, ttl)
	require.Empty(t, context)

	for _, c := range []struct {
		command   bool
		body      string
		subscribe bool
	}{
		{true, "09'SUBSCRIBE'4142", true},
		{true, "06'CANCEL'4142", false},
		{false, "014142", true},
		{false, "004142", false},
	} {
		prefix, subscribe, ok := zmtp.ParseSubscription(zmtp.Frame{Command: c.command, Body: unhex(c.body)})
		require.True(t, ok, c.body)
		require.Equal(t, "AB", string(prefix), c.body)
		require.Equal(t, c.subscribe, subscribe, c.body)
	}
	for _, f := range []zmtp.Frame{
		{Body: nil},
		{Body: []byte{2, 'A'}},
		{Command: true, Body: nil},
		{Command: true, Body: unhex("04'PONG'")},
		{Command: true, Body: []byte{1, 'A'}},
	} {
		_, _, ok := zmtp.ParseSubscription(f)
		require.False(t, ok, "%v", f)
	}
}
