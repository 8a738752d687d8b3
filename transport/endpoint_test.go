package transport_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
)

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]transport.Endpoint{
		"tcp://127.0.0.1:5555":     {Scheme: "tcp", Addr: "127.0.0.1:5555"},
		"tcp://[::1]:*":            {Scheme: "tcp", Addr: "[::1]:*"},
		"ipc:///run/a b":           {Scheme: "ipc", Addr: "/run/a b"},
		"ipc://@name":              {Scheme: "ipc", Addr: "@name"},
		"inproc://a://b":           {Scheme: "inproc", Addr: "a://b"},
		"a+b-c.9://x":              {Scheme: "a+b-c.9", Addr: "x"},
		"epgm://eth0;239.1.1.1:55": {Scheme: "epgm", Addr: "eth0;239.1.1.1:55"},
	} {
		got, err := transport.ParseEndpoint(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
}

func TestParseEndpointErrors(t *testing.T) {
	for text, why := range map[string]string{
		"":                       `no "://"`,
		"127.0.0.1:5555":         `no "://"`,
		"tcp:/127.0.0.1:5555":    `no "://"`,
		"tcp://":                 "no address",
		"://x":                   "scheme",
		"TCP://x":                "scheme",
		"9p://x":                 "scheme",
		"t cp://x":               "scheme",
		"tc\xc3\xa9://x":         "scheme",
		strings.Repeat("x", 4e6): "(4000000 bytes)",
	} {
		_, err := transport.ParseEndpoint(text)
		require.ErrorContains(t, err, why)
		require.ErrorContains(t, err, "transport: ")
		require.Less(t, len(err.Error()), 1000)
	}
}

func FuzzParseEndpoint(f *testing.F) {
	for _, seed := range []string{"tcp://127.0.0.1:5555", "ipc:///a", "inproc://a://b", "", "://", "x:/", "\x00://\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := transport.ParseEndpoint(text)
		if err != nil {
			require.Zero(t, e)
			return
		}
		require.Equal(t, text, e.String())
		require.NotEmpty(t, e.Scheme)
		require.NotEmpty(t, e.Addr)
		require.Equal(t, strings.ToLower(e.Scheme), e.Scheme)
	})
}
