package unique_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// listenOn makes a net.Listener of a channel, for whatever serves one.
func listenOn(ctx context.Context, app *unique.Instance, channel string) (net.Listener, error) {
	endpoint, opts, err := app.Endpoint(ctx, channel)
	if err != nil {
		return nil, err
	}
	sock := msgcore.NewStream(opts)
	l, err := sock.Listener() // closing it unbinds
	if err == nil {
		_, err = sock.Bind(ctx, endpoint)
	}
	if err != nil {
		sock.Close()
		return nil, err
	}
	return closing{l, sock}, nil
}

// dialer makes connections to a channel.
func dialer(app *unique.Instance, channel string) (*msgcore.Socket, func(ctx context.Context, network, addr string) (net.Conn, error), error) {
	_, opts, err := app.Endpoint(context.Background(), channel)
	if err != nil {
		return nil, nil, err
	}
	sock := msgcore.NewStream(opts)
	return sock, func(ctx context.Context, _, _ string) (net.Conn, error) {
		endpoint, _, err := app.Endpoint(ctx, channel) // of the primary that there is now
		if err != nil {
			return nil, err
		}
		return sock.Dial(ctx, endpoint)
	}, nil
}

type closing struct {
	net.Listener
	sock *msgcore.Socket
}

func (c closing) Close() error {
	err := c.Listener.Close()
	c.sock.Close()
	return err
}

// The application has a local API that nobody else can reach: an http.Server on
// a channel. A gRPC server takes the listener in the same way, and its client the
// dialer.
func ExampleInstance_Endpoint_http() {
	ctx := context.Background()
	app, err := unique.Acquire(ctx, "com.example.player", nil)
	if err != nil {
		return
	}
	defer app.Close()
	if app.Role() == unique.Primary {
		l, err := listenOn(ctx, app, "api")
		if err != nil {
			return
		}
		http.HandleFunc("/song", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "a song") })
		_ = http.Serve(l, nil)
		return
	}
	sock, dial, err := dialer(app, "api")
	if err != nil {
		return
	}
	defer sock.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: dial}}
	if resp, err := client.Get("http://app/song"); err == nil {
		defer resp.Body.Close()
		song, _ := io.ReadAll(resp.Body)
		fmt.Printf("%s", song)
	}
}

// The example works.
func TestHTTPOverAChannel(t *testing.T) {
	opts := uniquetest.Options(t)
	app := primary(t, opts, exits(0))
	second := secondary(t, opts)
	l, err := listenOn(within(t), app, "api")
	require.NoError(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = w.Write(body)
		}
		if err != nil {
			t.Error(err)
		}
	})}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	sock, dial, err := dialer(second, "api")
	require.NoError(t, err)
	defer sock.Close()
	transport := &http.Transport{DialContext: dial}
	client := &http.Client{Transport: transport}
	for range 3 {
		r, w := io.Pipe()
		go func() {
			for range 100 {
				fmt.Fprintf(w, "%01000d", 7)
			}
			w.Close()
		}()
		resp, err := client.Post("http://app/echo", "text/plain", r)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 100_000, len(body))
	}
	transport.CloseIdleConnections()
	require.NoError(t, srv.Close())
	require.ErrorIs(t, <-served, http.ErrServerClosed)
}
