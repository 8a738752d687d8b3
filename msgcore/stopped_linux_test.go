package msgcore_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// A process that was stopped, or had no processor for a while, finds its times long
// past. It looks at what its peers have done meanwhile before it gives them up.

// stoppedEnv makes the test binary a socket in a process that is stopped, and says
// what for.
const stoppedEnv = "SOLOMQ_TEST_STOPPED"

// stoppedTimeout is how long it waits for its peer: so long that it is stopped in
// time, and then it is stopped for twice as long.
const stoppedTimeout = 3 * time.Second

// TestStoppedHelper is no test, but the other process of some.
func TestStoppedHelper(t *testing.T) {
	o := msgcore.Options{Linger: stoppedTimeout, SendHWM: -1, Monitor: func(e msgcore.Event) {
		if e.Kind == msgcore.Disconnected && !errors.Is(e.Err, net.ErrClosed) {
			fmt.Println("disconnected:", e.Err)
		}
	}}
	typ := msgcore.Pull
	switch os.Getenv(stoppedEnv) {
	case "":
		t.Skip("it is run by TestStopped...")
	case "heartbeat":
		o.Heartbeat = msgcore.Heartbeat{Interval: 100 * time.Millisecond, Timeout: stoppedTimeout}
	case "linger":
		typ = msgcore.Push
	}
	s := open(t, typ, &o)
	fmt.Println(bindTo(t, s, anyPort))
	if typ == msgcore.Push {
		require.NoError(t, s.WaitPeers(limited(t), 1))
		for range stoppedMessages {
			require.NoError(t, s.Send(limited(t), make([]byte, 1<<20)))
		}
		_, ended := closing(s)
		for past := cancelled(t); !errors.Is(s.WaitPeers(past, 1000), net.ErrClosed); {
			runtime.Gosched()
		}
		fmt.Println("closing")
		fmt.Println("closed:", <-ended)
		return
	}
	for m, err := range s.Messages(t.Context()) {
		if err != nil || string(m.Bytes()) == "end" {
			return
		}
		fmt.Println(string(m.Bytes()))
	}
}

const stoppedMessages = 32 // of 1 MiB: more than the kernel takes

// A stoppable is the process of TestStoppedHelper.
type stoppable struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Reader
}

func startStoppable(t *testing.T, what string) *stoppable {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestStoppedHelper$", "-test.v=false")
	cmd.Env = append(os.Environ(), stoppedEnv+"="+what)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // harmless if it has ended
		_ = cmd.Wait()
	})
	return &stoppable{t, cmd, bufio.NewReader(out)}
}

func (s *stoppable) line() string {
	s.t.Helper()
	line, err := s.lines.ReadString('\n')
	require.NoError(s.t, err)
	return line[:len(line)-1]
}

// whileStopped stops the process, calls f, and lets it go on when twice the time has
// passed that it waits for.
func (s *stoppable) whileStopped(f func()) {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus
	_, err := syscall.Wait4(s.cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(s.t, err)
	require.True(s.t, status.Stopped(), "%v", status)
	f()
	<-time.After(2 * stoppedTimeout) // which is what is tested
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGCONT))
}

// What a peer has answered while the process was stopped counts, whether we have
// asked it or it wants us to hear it.
func TestStoppedHeartbeat(t *testing.T) {
	for _, what := range []string{"heartbeat", "time to live"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := startStoppable(t, what)
			p := rawHandshake(t, s.line(), "PUSH")
			alive := zmtp.AppendPong(nil, nil)
			if what == "heartbeat" {
				p.readCommand(t, zmtp.CommandPing)
			} else {
				alive = zmtp.AppendPing(nil, stoppedTimeout, nil)
				p.send(t, alive...)
				p.readCommand(t, zmtp.CommandPong)
			}
			s.whileStopped(func() { p.send(t, alive...) })
			p.send(t, frame(0, []byte("still there"))...)
			require.Equal(t, "still there", s.line())
			p.send(t, frame(0, []byte("end"))...)
			require.Equal(t, "PASS", s.line())
		})
	}
}

// Nor does the time count in which Close could not see whether bytes move.
func TestStoppedLinger(t *testing.T) {
	t.Parallel()
	s := startStoppable(t, "linger")
	p := rawHandshake(t, s.line(), "PULL")
	require.Equal(t, "closing", s.line())
	<-time.After(stoppedTimeout / 8) // what the kernel takes it has, and nothing moves
	s.whileStopped(func() {})
	<-time.After(stoppedTimeout / 8) // it has looked, and waits on
	n, err := io.Copy(io.Discard, p.in)
	require.NoError(t, err)
	require.EqualValues(t, stoppedMessages*len(frame(0, make([]byte, 1<<20))), n)
	require.Equal(t, "closed: <nil>", s.line())
}
