package unique_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func init() { roles["app activated"] = playActivated }

// playActivated is a service that a manager starts for its socket, until it has
// served once.
func playActivated([]string) int {
	if err := os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid())); err != nil { // which a manager knows before
		return exitWith(err)
	}
	l, err := unique.Activated()
	if err != nil {
		return exitWith(err)
	}
	o := roleOptions()
	o.Listener, o.Mode = l, unique.ModeService
	app, err := unique.Acquire(context.Background(), testID, o)
	if err != nil {
		return exitWith(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // what it was started for is done
		_, _ = os.Stdin.Read(make([]byte, 1))
		cancel()
	}()
	_ = app.Serve(ctx, verbs)
	if again, err := unique.Activated(); again != nil || err != nil {
		return exitWith(fmt.Errorf("there is another: %v, %v", again, err))
	}
	if err := app.Close(); err != nil {
		return exitWith(err)
	}
	return 0
}

// A launcher finds a socket that only a service manager holds, waits in its queue
// while that starts the service, and is served.
func TestSocketActivation(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.Mode = unique.ModeLauncher
	_, err := unique.Acquire(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrNoPrimary)

	// What a service manager does.
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Dir(where.Socket), 0o700))
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: where.Socket, Net: "unix"})
	require.NoError(t, err)
	defer l.Close()
	f, err := l.File()
	require.NoError(t, err)
	defer f.Close()

	for _, code := range []int{7, 8} { // the service ends in between, and the socket stays
		got := make(chan int, 1)
		go func() {
			app, err := unique.Acquire(within(t), testID, opts)
			if err != nil {
				t.Error(err)
				got <- -1
				return
			}
			defer app.Close()
			c, err := app.Forward(within(t), &unique.Invocation{Args: []string{"", "exit", strconv.Itoa(code)}})
			if err != nil {
				t.Error(err)
			}
			got <- c
		}()
		service := actor(t, "app activated")
		service.Env = append(service.Env, dirEnv+"="+opts.Dir, "LISTEN_FDS=1", "LISTEN_FDNAMES=x")
		service.ExtraFiles = []*os.File{f}
		in, err := service.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, service.Start())
		require.Equal(t, code, <-got)
		require.NoError(t, in.Close())
		require.NoError(t, service.Wait())
		require.FileExists(t, where.Socket)
	}
}

func TestNotActivated(t *testing.T) {
	t.Setenv("LISTEN_FDS", "1")
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()+1))
	l, err := unique.Activated()
	require.NoError(t, err)
	require.Nil(t, l)
	require.Equal(t, "1", os.Getenv("LISTEN_FDS"), "it is another's")
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	t.Setenv("LISTEN_FDS", "2")
	_, err = unique.Activated()
	require.ErrorContains(t, err, `"2" sockets`)

	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer tcp.Close()
	require.ErrorContains(t, (&unique.Options{Listener: tcp}).Validate(), "Listener")
}
