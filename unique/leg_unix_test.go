//go:build unix && !aix && !solaris

package unique_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// The forward leg is what a launch does between its lock check and its exit code. It
// costs not much more than in a program that does nothing else. Launches of both kinds
// are measured in turn, by a process that goes on running, so that whatever else the
// machine does hits both.

func init() { roles["app legs"] = playLegs }

// The conversation of a launch, in bytes each way, as a bare program would have it:
// greeting, READY and HELLO, REQUEST, and GO, with their answers.
var bareLegs = [...]struct{ ask, answer int }{{107, 193}, {74, 6}, {6, 19}}

// A bare is where the least program is that answers launches.
type bare struct{ lock, socket string }

func bareIn(dir string) bare {
	return bare{filepath.Join(dir, "bare.lock"), filepath.Join(dir, "bare")}
}

// serve holds the lock and answers, until stop.
func (b bare) serve() (stop func() error, err error) {
	held, err := os.OpenFile(b.lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(held.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, held.Close())
	}
	l, err := net.Listen("unix", b.socket)
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerBare(c)
		}
	}()
	return func() error {
		err := errors.Join(l.Close(), held.Close())
		<-done
		return err
	}, nil
}

func answerBare(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 256)
	for _, leg := range bareLegs {
		if _, err := io.ReadFull(c, buf[:leg.ask]); err != nil {
			return
		}
		if _, err := c.Write(buf[:leg.answer]); err != nil {
			return
		}
	}
	_, _ = c.Read(buf) // until it hangs up
}

// launch is the least that a launch can do: it sees that the lock is held, connects, and
// has as many round trips of as many bytes.
func (b bare) launch() error {
	f, err := os.OpenFile(b.lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New("the lock is free")
	}
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		return err
	}
	defer c.Close()
	buf := make([]byte, 256)
	for _, leg := range bareLegs {
		if _, err := c.Write(buf[:leg.ask]); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, buf[:leg.answer]); err != nil {
			return err
		}
	}
	return nil
}

// playLegs is a primary, and a bare one, until its standard input ends.
func playLegs([]string) int {
	o := roleOptions()
	app, err := unique.Acquire(context.Background(), testID, o)
	if err != nil {
		return exitWith(err)
	}
	stop, err := bareIn(o.Dir).serve()
	if err != nil {
		return exitWith(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		fmt.Println("ready")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		cancel()
	}()
	_ = app.Serve(ctx, func(context.Context, *unique.Invocation) int { return 0 })
	if err := errors.Join(app.Close(), stop()); err != nil {
		return exitWith(err)
	}
	return 0
}

// The primary is another process, as always when a program is started a second time.
func TestProcessForwardLegIsFast(t *testing.T) {
	opts := uniquetest.Options(t)
	server := start(t, "legs", opts.Dir, nil)
	require.Equal(t, "ready", server.line())
	limit := 1.5
	if runtime.NumCPU() < 2 {
		limit = 1.8 // nothing of what either process does beside the other is free then
	}
	compareLegs(t, opts, limit)
}

// Both ends in one process share the processors that the runtime gives it, and its poller.
func TestForwardLegIsFast(t *testing.T) {
	opts := uniquetest.Options(t)
	primary(t, opts, func(context.Context, *unique.Invocation) int { return 0 })
	stop, err := bareIn(opts.Dir).serve()
	require.NoError(t, err)
	defer func() { require.NoError(t, stop()) }()
	compareLegs(t, opts, 2.5)
}

// compareLegs compares launches until half of ours take no longer than limit times as long
// as half of the bare ones.
func compareLegs(t *testing.T, opts *unique.Options, limit float64) {
	if raceEnabled {
		t.Skip("measures; the race detector does, too")
	}
	inv := &unique.Invocation{Args: []string{"program", "file"}, Dir: "/home/user", Env: os.Environ()}
	ours := func() error {
		app, err := unique.Acquire(context.Background(), testID, opts)
		if err != nil {
			return err
		}
		_, err = app.Forward(context.Background(), inv)
		return errors.Join(err, app.Close())
	}
	best := 100.0
	for range 20 { // on a busy machine one try in two is spoiled
		var took [2][]time.Duration
		for range size(400, 2000) {
			for k, launch := range []func() error{ours, bareIn(opts.Dir).launch} {
				start := time.Now()
				require.NoError(t, launch())
				took[k] = append(took[k], time.Since(start))
			}
		}
		var p50 [2]time.Duration
		for k := range took {
			slices.Sort(took[k])
			p50[k] = took[k][len(took[k])/2]
		}
		ratio := float64(p50[0]) / float64(p50[1])
		t.Logf("p50 %v, bare %v: %.2f; p99 %v, bare %v", p50[0], p50[1], ratio, took[0][len(took[0])*99/100], took[1][len(took[1])*99/100])
		if best = min(best, ratio); best <= limit {
			break
		}
	}
	require.LessOrEqual(t, best, limit)
}
