package unique_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// A primary that waits for its successor is not idle: it goes on serving until
// that one asks for the place.
func TestRelaunchIsNotIdle(t *testing.T) {
	opts := uniquetest.Options(t)
	started := make(chan bool, 1)
	opts.Log = func(msg string, _ ...any) {
		if msg == "started a successor" {
			started <- true
		}
	}
	app := primary(t, opts, exits(4))
	release := app.Hold()
	app.SetIdle(time.Nanosecond)
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	result := make(chan error, 1)
	go func() { result <- app.Relaunch(within(t), exec.Command("cat", fifo)) }()
	<-started
	release()
	for range 2 {
		require.Equal(t, 4, <-forwarding(t, secondary(t, opts)))
	}
	last := secondary(t, opts)

	w, err := os.OpenFile(fifo, os.O_WRONLY, 0) // the program ends
	require.NoError(t, err)
	require.NoError(t, w.Close())
	var failed *unique.StartError
	require.ErrorAs(t, <-result, &failed)
	require.NoError(t, last.WaitExit(within(t)), "now it has nothing to do")
}
