//go:build unix

package unique_test

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// A peekListener tells what each connection says first, before it has heard
// anything.
type peekListener struct {
	net.Listener
	first chan []byte
}

func (l *peekListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	b, n := make([]byte, 4096), 0
	err = raw.Read(func(fd uintptr) bool {
		n, _, err = syscall.Recvfrom(int(fd), b, syscall.MSG_PEEK)
		return err != syscall.EAGAIN
	})
	if err == nil {
		l.first <- b[:max(n, 0)]
	}
	return c, err
}

// Run knows what it will ask, and asks it together with HELLO; unless something is
// to be decided before.
func TestRunAsksAtOnce(t *testing.T) {
	opts := uniquetest.Options(t)
	l, err := net.Listen("unix", filepath.Join(opts.Dir, "l"))
	require.NoError(t, err)
	peeks := &peekListener{l, make(chan []byte, 10)}
	serving := *opts
	serving.Listener = peeks
	var ran atomic.Int32
	primary(t, &serving, func(context.Context, *unique.Invocation) int { return int(ran.Add(1)) })
	never := func(context.Context, *unique.Invocation) int { panic("the primary is another") }
	for k, change := range []func(*unique.Options){
		func(*unique.Options) {},
		func(o *unique.Options) { o.Replace = true },
		func(o *unique.Options) {
			o.Version = "2"
			o.OnVersion = func(*unique.Holder) unique.VersionDecision { return unique.ForwardAnyway }
		},
		func(o *unique.Options) { o.Env = []string{"LARGE"}; t.Setenv("LARGE", strings.Repeat("x", 2000)) },
	} {
		o := *opts
		change(&o)
		code, err := unique.Run(t.Context(), testID, &o, never)
		require.NoError(t, err)
		require.Equal(t, k+1, code)
		said := <-peeks.first
		require.Contains(t, string(said), "UQ\x01\x01") // HELLO
		require.Equal(t, k == 0, bytes.Contains(said, []byte("UQ\x01\x03")), "a REQUEST in %q", said)
	}
}

// What was asked at once and found no room is asked again.
func TestRunBeforeServe(t *testing.T) {
	const n = 30
	opts := uniquetest.Options(t)
	opts.MaxQueued = 5
	first, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	defer first.Close()
	var runs sync.WaitGroup
	for range n {
		runs.Go(func() {
			code, err := unique.Run(within(t), testID, opts, func(context.Context, *unique.Invocation) int { return 1 })
			if err != nil || code != 7 {
				t.Errorf("%d, %v", code, err)
			}
		})
	}
	require.Eventually(t, func() bool { return first.Stats().Refused > 0 }, patience, time.Millisecond)
	ctx, cancel := context.WithCancel(within(t))
	var ran atomic.Int32
	var served sync.WaitGroup
	served.Go(func() {
		_ = first.Serve(ctx, func(context.Context, *unique.Invocation) int { ran.Add(1); return 7 })
	})
	runs.Wait()
	require.EqualValues(t, n, ran.Load())
	cancel()
	served.Wait()
}

// A primary that is alive and has no handler free is waited for, also if a while
// passes between its WELCOME and the wait.
func TestRunIsPatient(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.MaxRunning = 1
	opts.Timeouts.Hello = 500 * time.Millisecond
	running, free := make(chan struct{}, 2), make(chan struct{})
	primary(t, opts, func(context.Context, *unique.Invocation) int {
		running <- struct{}{}
		<-free
		return 7
	})
	first := secondary(t, opts)
	var held sync.WaitGroup
	held.Go(func() {
		if _, err := first.Forward(within(t), unique.Current()); err != nil {
			t.Error(err)
		}
	})
	<-running
	o := *opts
	o.Log = func(msg string, _ ...any) {
		if msg == "secondary" {
			<-time.After(2 * unique.Fresh)
		}
	}
	held.Go(func() {
		<-time.After(3 * opts.Timeouts.Hello / 2) // longer than a HELLO may go unanswered
		close(free)
	})
	code, err := unique.Run(within(t), testID, &o, func(context.Context, *unique.Invocation) int { return 1 })
	require.NoError(t, err)
	require.Equal(t, 7, code)
	held.Wait()
}

// A launch that is too late each time gives up: Run, too, counts them all.
func TestRunExpires(t *testing.T) {
	opts := uniquetest.Options(t)
	opts.Timeouts.Go = 20 * time.Millisecond
	expired := make(chan struct{}, 10)
	opts.Log = func(msg string, _ ...any) {
		if strings.HasPrefix(msg, "the offer has expired") {
			expired <- struct{}{}
		}
	}
	var late atomic.Int32
	unique.SetFault(func(step string) {
		if step == "go" {
			late.Add(1)
			<-expired // however long the primary's timer takes
		}
	})
	t.Cleanup(func() { unique.SetFault(nil) }) // once the primary has ended
	primary(t, opts, func(context.Context, *unique.Invocation) int {
		t.Error("it ran")
		return 0
	})
	_, err := unique.Run(within(t), testID, opts, func(context.Context, *unique.Invocation) int { return 1 })
	require.ErrorIs(t, err, unique.ErrExpired)
	require.EqualValues(t, 5, late.Load())
}
