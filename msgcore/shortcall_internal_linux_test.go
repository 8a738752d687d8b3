//go:build !race

package msgcore

import (
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
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
