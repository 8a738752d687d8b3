//go:build unix || windows

package ipc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/ipc"
)

// patience bounds what should take no time.
const patience = 30 * time.Second

// helperVar makes the test binary a process that obeys its standard input.
const helperVar = "IPC_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperVar) != "" {
		helperMain()
		return
	}
	goleak.VerifyTestMain(m)
}

// helperMain does what each line of stdin says and answers with a line.
func helperMain() {
	var tr ipc.Transport
	var l transport.Listener
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var verb, addr string
		_, _ = fmt.Sscan(in.Text(), &verb, &addr)
		var err error
		switch verb {
		case "listen":
			var fresh transport.Listener
			if fresh, err = tr.Listen(context.Background(), addr, nil); err == nil {
				l = fresh
			}
		case "close":
			err = l.Close()
		case "dial":
			_, err = tr.Dial(context.Background(), addr, nil)
		case "greet": // accept one connection and say who we are
			var c net.Conn
			if c, err = l.Accept(); err == nil {
				_, err = fmt.Fprint(c, os.Getpid())
				c.Close()
			}
		}
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			fmt.Println("in use")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println("ok")
		}
	}
}

// A helper is a process of its own to talk to.
type helper struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

// startHelper starts one; it ends with the test.
func startHelper(t *testing.T, change ...func(*exec.Cmd)) *helper {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), helperVar+"=1", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	for _, f := range change {
		f(cmd)
	}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("helper process: %v", err)
		}
	})
	return &helper{cmd: cmd, in: in, out: bufio.NewReader(out)}
}

// send gives h something to do.
func (h *helper) send(t *testing.T, what string) {
	t.Helper()
	_, err := fmt.Fprintln(h.in, what)
	require.NoError(t, err)
}

// answer waits for what came of it.
func (h *helper) answer(t *testing.T) string {
	t.Helper()
	line, err := h.out.ReadString('\n')
	require.NoError(t, err)
	return line[:len(line)-1]
}

func (h *helper) do(t *testing.T, what string) string {
	t.Helper()
	h.send(t, what)
	return h.answer(t)
}

// rounds is how often a race is run: full in the full-size tests.
func rounds(quick, full int) int {
	if os.Getenv("SOLOMQ_TEST") == "full" {
		return full
	}
	return quick
}

// listen listens until the end of the test.
func listen(t *testing.T, addr string, opts *transport.Options) transport.Listener {
	t.Helper()
	l, err := ipc.Transport{}.Listen(t.Context(), addr, opts)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// reach checks that a Dial of addr comes out at l.
func reach(t *testing.T, addr string, l transport.Listener) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a, err := ipc.Transport{}.Dial(ctx, addr, nil)
	require.NoError(t, err)
	defer a.Close()
	defer time.AfterFunc(patience, func() { l.Close() }).Stop() // if it comes out elsewhere
	b, err := l.Accept()
	require.NoError(t, err)
	_, err = b.Write([]byte("here"))
	require.NoError(t, err)
	b.Close()
	got, err := io.ReadAll(a)
	require.NoError(t, err)
	require.Equal(t, "here", string(got))
}

// leaveStale leaves a socket file behind that no process has open, as a process
// that was killed does.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	require.FileExists(t, path)
}
