package transport_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
)

func TestOptionsValidate(t *testing.T) {
	require.NoError(t, (*transport.Options)(nil).Validate())
	long := strings.Repeat("x", 256)
	for _, c := range []struct {
		why string
		o   transport.Options
	}{
		{"", transport.Options{}},
		{"", transport.Options{TrafficClass: 255, Backlog: 1, Priority: 6, MaxRetransmit: 1, Proxy: transport.Proxy{Addr: "x:1", User: long[:255], Password: long[:255]}}},
		{"buffer", transport.Options{SendBuffer: -1}},
		{"buffer", transport.Options{RecvBuffer: -1}},
		{"TrafficClass is 256, want 0 to 255", transport.Options{TrafficClass: 256}},
		{"IPVersion is 5, want 4, 6 or 0", transport.Options{IPVersion: 5}},
		{"Priority is -1", transport.Options{Priority: -1}},
		{"MaxRetransmit is -1ns", transport.Options{MaxRetransmit: -1}},
		{"MaxRetransmit is", transport.Options{MaxRetransmit: 1 << 62}},
		{"Backlog is -1", transport.Options{Backlog: -1}},
		{"but no Addr", transport.Options{Proxy: transport.Proxy{User: "x"}}},
		{"but no User", transport.Options{Proxy: transport.Proxy{Addr: "x:1", Password: "x"}}},
		{"a User of 256 and a Password of 0 bytes", transport.Options{Proxy: transport.Proxy{Addr: "x:1", User: long}}},
		{"a User of 1 and a Password of 256 bytes", transport.Options{Proxy: transport.Proxy{Addr: "x:1", User: "x", Password: long}}},
	} {
		if err := c.o.Validate(); c.why == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.why)
		}
	}
}

// Options may end up in a log.
func TestProxyIsFormattedWithoutSecrets(t *testing.T) {
	o := transport.Options{Proxy: transport.Proxy{Addr: "proxy:1080", User: "al1ce", Password: "s3cret"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		for _, text := range []string{fmt.Sprintf(verb, o), fmt.Sprintf(verb, o.Proxy)} {
			require.NotContains(t, text, "al1ce", verb)
			require.NotContains(t, text, "s3cret", verb)
			require.Contains(t, text, "socks5://***@proxy:1080", verb)
		}
	}
	require.Equal(t, "socks5://proxy:1080", fmt.Sprint(transport.Proxy{Addr: "proxy:1080"}))
	b, err := json.Marshal(o.Proxy)
	require.NoError(t, err)
	require.Equal(t, `"socks5://***@proxy:1080"`, string(b))
	err = (&transport.Options{Proxy: transport.Proxy{Addr: "al1ce:s3cret@proxy:1080"}}).Validate()
	require.ErrorContains(t, err, "fields of their own")
	require.NotContains(t, err.Error(), "s3cret")
	require.Equal(t, "no proxy", fmt.Sprint(transport.Proxy{}))
}
