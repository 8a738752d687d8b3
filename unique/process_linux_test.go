package unique_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// awaitStopped waits until the system says that the process is stopped.
func awaitStopped(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		require.NoError(t, err)
		_, state, _ := bytes.Cut(stat, []byte(") "))
		return len(state) > 0 && state[0] == 'T'
	}, patience, time.Millisecond)
}

// peakRSS is the most memory that the process has had, in bytes.
func peakRSS(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	require.True(t, ok)
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return kb << 10
}

// Much more than fits into memory goes through a job, both ways, unharmed.
func TestProcessStreamsInBoundedMemory(t *testing.T) {
	size := int64(64 << 20)
	if full() {
		size = 1 << 30
	}
	dir := testDir(t)
	first := startServe(t, dir)
	second := start(t, "second", dir, nil, "cat")

	sent := sha256.New()
	wrote := make(chan error, 1)
	go func() {
		src := io.LimitReader(rand.NewChaCha8([32]byte{1}), size)
		_, err := io.CopyBuffer(io.MultiWriter(second.in, sent), hide{src}, make([]byte, 64<<10))
		if e := second.in.Close(); err == nil {
			err = e
		}
		wrote <- err
	}()
	got := sha256.New()
	var n int64
	checked := false
	buf := make([]byte, 64<<10)
	for {
		k, err := second.out.Read(buf)
		got.Write(buf[:k])
		n += int64(k)
		if !checked && n > size-1<<20 { // more than the windows hold: both are alive
			checked = true
			checkRSS(t, first.cmd.Process.Pid)
			checkRSS(t, second.cmd.Process.Pid)
		}
		if err != nil {
			require.Equal(t, io.EOF, err)
			break
		}
	}
	require.NoError(t, <-wrote)
	require.True(t, checked)
	require.Equal(t, size, n)
	require.Equal(t, sum(sent), sum(got))
	require.Zero(t, second.wait())
}

// hide keeps io.Copy from taking a short cut around the buffer.
type hide struct{ io.Reader }

func sum(h hash.Hash) string { return fmt.Sprintf("%x", h.Sum(nil)) }

func checkRSS(t *testing.T, pid int) {
	t.Helper()
	limit := 64 << 20
	if raceEnabled {
		limit *= 4 // the detector's own
	}
	rss := peakRSS(t, pid)
	t.Logf("peak RSS of pid %d: %d MiB", pid, rss>>20)
	require.Less(t, rss, limit)
}
