//go:build (amd64 || arm64 || loong64 || ppc64le || riscv64) && !race && !msan && !asan

package msgcore

import (
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The runtime's monitor, which may sleep while messages come and go, is awake when
// somebody computes for long: it lets the others run.
func TestShortCallsStarveNobody(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer theirs.Close()
	c, err := net.FileConn(ours)
	require.NoError(t, err)
	require.NoError(t, ours.Close())
	defer c.Close()
	echo := exec.Command("cat")
	echo.Stdin, echo.Stdout = theirs, theirs
	require.NoError(t, echo.Start())
	defer func() {
		require.NoError(t, c.Close())
		require.NoError(t, theirs.Close())
		require.NoError(t, echo.Wait())
	}()
	raw := rawConn(c)
	b := []byte("to and fro")
	short := 0
	roundTrip := func() {
		require.NoError(t, raw.Write(func(fd uintptr) bool {
			n, err := writeFD(fd, [][]byte{b})
			require.NoError(t, err)
			return n > 0
		}))
		require.NoError(t, raw.Read(func(fd uintptr) bool {
			if int64(time.Since(pulse.began)) < pulse.until.Load()-int64(halfBeat) {
				short++
			}
			_, again, err := readFD(fd, b)
			require.NoError(t, err)
			return !again
		}))
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 20 {
		for range 500 {
			roundTrip()
		}
		var ran atomic.Bool
		go func() { ran.Store(true) }()
		for begun := time.Now(); !ran.Load(); {
			if time.Since(begun) > 10*time.Second { // nothing here calls or allocates, which would wake the monitor
				t.Fatal("nobody else has had the processor")
			}
		}
	}
	require.Greater(t, short, 5000, "most calls are short ones")
}

// Short calls do not wait, even if somebody else who has the descriptor has put it in
// blocking mode: nothing would make the runtime go on without them.
func TestShortCallsDoNotWait(t *testing.T) {
	before := pulse.until.Swap(int64(time.Since(pulse.began) + time.Hour)) // all calls are short
	defer pulse.until.Store(before)
	sockets, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer syscall.Close(sockets[0])
	_, again, err := readFD(uintptr(sockets[0]), make([]byte, 10))
	require.NoError(t, err)
	require.True(t, again)
	for n := 1; n > 0; {
		n, err = writeFD(uintptr(sockets[0]), [][]byte{make([]byte, 10_000)})
		require.NoError(t, err)
	}
	require.NoError(t, syscall.Close(sockets[1]))
	_, err = writeFD(uintptr(sockets[0]), [][]byte{{1}})
	require.ErrorIs(t, err, syscall.EPIPE)
}

// What is no socket is read and written all the same.
func TestShortCallsOfOthers(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	for range 3 {
		n, err := sysWrite(w.Fd(), []byte("through a pipe"))
		require.NoError(t, err)
		b := make([]byte, 100)
		m, err := sysRead(r.Fd(), b)
		require.NoError(t, err)
		require.Equal(t, "through a pipe", string(b[:m]))
		require.Equal(t, n, m)
	}
}

// Where time is not the runtime's, the runtime is told of each call.
func TestShortCallsInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 3 {
			require.False(t, isShort(1))
		}
	})
}
